"""The prompts: Markdown files with the variables they declare, and the small loader that renders them."""
