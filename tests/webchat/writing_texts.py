"""What the model of `test_writing.py` says; `writing_app.py` has an article that bears it."""

SENTENCES = (
    "There is a late payment fee of £7.50 if a bill is unpaid 7 days after it was due.",
    "You can pay by card under Billing (Note:this stays).",
    "Call us on weekdays if you cannot pay in time.",
)

HOLDABLE = {
    "HOLD": "1",
    **dict.fromkeys(
        ("TURN_SECONDS", "LLM_FIRST_TOKEN_SECONDS", "LLM_BETWEEN_TOKENS_SECONDS", "LLM_PATIENCE_SECONDS"), "300"
    ),
}
"""The environment of a server whose model can be held midway for as long as a test needs."""
