// Words on the widget's page: text and a few marks of Markdown, never HTML. Served in front of widget.js.
function makeWords(make, base) {
  const address = (url) => {
    try {
      const whole = new URL(url.replace(/^\/(?!\/)/, ""), base);
      return /^https?:$/.test(whole.protocol) ? whole.href : null;
    } catch { return null; }
  };
  const link = (text, url) => {
    const href = address(url);
    return href ? make("a", { href, target: "_blank", rel: "noopener" }, text) : text;
  };
  const INLINE = /\*\*(.+?)\*\*|`([^`]+)`|\[(\d{1,3})\](?!\()|\[([^\]]+)\]\(([^()\s]+)\)|\n/g;
  const inline = (text, sources) => {
    const nodes = [];
    let at = 0;
    for (const found of text.matchAll(INLINE)) {
      nodes.push(text.slice(at, found.index));
      at = found.index + found[0].length;
      const source = found[3] && sources.find((one) => one.number === Number(found[3]));
      if (found[1]) nodes.push(make("strong", {}, ...inline(found[1], sources)));
      else if (found[2]) nodes.push(make("code", {}, found[2]));
      else if (found[3]) nodes.push(source ? link(found[0], source.url) : found[0]);
      else if (found[4]) nodes.push(link(found[4], found[5]));
      else nodes.push(make("br"));
    }
    return [...nodes, text.slice(at)];
  };
  const blocks = (text, sources) => text.split(/\n{2,}/).map((block) => {
    const items = block.split("\n");
    const kind = items.every((item) => /^\s*[-*] /.test(item)) ? "ul" : items.every((item) => /^\s*\d+[.)] /.test(item)) ? "ol" : null;
    if (!kind) return make("p", {}, ...inline(block.replace(/^#+ /gm, ""), sources));
    return make(kind, {}, ...items.map((item) => make("li", {}, ...inline(item.replace(/^\s*([-*]|\d+[.)]) /, ""), sources))));
  });
  return { link, blocks };
}
