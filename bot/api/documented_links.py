"""OpenAPI links: which answer's part is whose parameter, so that programs (and schemathesis) find their way on."""

from typing import Any

Where = tuple[str, str, str]
"""Method, path, status."""

_HISTORY = ("get", "/chat/history/{conversation}")
_TRANSCRIPT = ("get", "/conversations/{conversation}")
_TEXT = ("get", "/conversations/{conversation}/transcript")
_CONVERSATION = "$response.body#/message/conversation"
_FIRST = "$response.body#/conversations/0/id"
_LINKS: dict[Where, dict[str, tuple[tuple[str, str], dict[str, str], dict[str, str]]]] = {
    ("post", "/chat/session", "201"): {
        "held": (("get", "/customers/{customer}/data"), {"customer": "$response.body#/customer"}, {}),
        "erase": (("delete", "/customers/{customer}/data"), {"customer": "$response.body#/customer"}, {}),
        "tickets": (("get", "/customers/{customer}/tickets"), {"customer": "$response.body#/customer"}, {}),
        "say": (("post", "/chat/message"), {}, {}),
        "escalate": (("post", "/chat/escalate"), {}, {}),
    },
    ("post", "/chat/message", "200"): {
        "history": (_HISTORY, {"conversation": _CONVERSATION}, {}),
        "read": (_TRANSCRIPT, {"conversation": _CONVERSATION}, {}),
        "transcript": (_TEXT, {"conversation": _CONVERSATION}, {}),
        "rate": (("post", "/chat/feedback"), {}, {"entry": "$response.body#/reply/id"}),
        "go_on": (("post", "/chat/message"), {}, {"conversation": _CONVERSATION}),
        "escalate": (("post", "/chat/escalate"), {}, {"conversation": _CONVERSATION}),
    },
    ("post", "/chat/escalate", "202"): {
        "history": (_HISTORY, {"conversation": _CONVERSATION}, {}),
        "go_on": (("post", "/chat/message"), {}, {"conversation": _CONVERSATION}),
    },
    ("get", "/chat/conversations", "200"): {"history": (_HISTORY, {"conversation": _FIRST}, {})},
    ("get", "/conversations", "200"): {
        "read": (_TRANSCRIPT, {"conversation": _FIRST}, {}),
        "transcript": (_TEXT, {"conversation": _FIRST}, {}),
        "next": (("get", "/conversations"), {"cursor": "$response.body#/next"}, {}),
    },
    ("post", "/knowledge/ingest", "202"): {
        "job": (("get", "/knowledge/ingest/{job}"), {"job": "$response.body#/id"}, {}),
    },
    ("get", "/knowledge", "200"): {
        "rollback": (("post", "/knowledge/rollback"), {}, {"version": "$response.body#/versions/0/id"}),
    },
    **{
        ("post", path, "201"): {
            "availability": (("put", "/agents/{id}/availability"), {"id": "$response.body#/id"}, {}),
            "delete": (("delete", "/agents/{id}"), {"id": "$response.body#/id"}, {}),
        }
        for path in ("/agents", "/users")
    },
}


def add_links(document: dict[str, Any]) -> None:
    """Put the links into an OpenAPI document."""
    paths = document["paths"]
    for (method, path, status), links in _LINKS.items():
        paths[path][method]["responses"][status]["links"] = {
            name: {
                "operationId": paths[target[1]][target[0]]["operationId"],
                **({"parameters": parameters} if parameters else {}),
                **({"requestBody": body, "x-schemathesis": {"merge_body": True}} if body else {}),
            }
            for name, (target, parameters, body) in links.items()
        }
