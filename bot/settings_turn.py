"""Settings of a turn: when the bot answers, acts, and brings in a colleague."""

from pydantic import Field, SecretStr, ValidationInfo, field_validator
from pydantic_settings import BaseSettings

from bot.settings_place import LARKFIELD


class TurnSettings(BaseSettings):
    """For those who decide what the bot does: thresholds, and what stands behind it."""

    # 0.75: on 180 development questions 5 wrong and 113 right replies (docs/decisions/0041).
    answerable_above: float = Field(
        0.75, ge=0, le=1, description="The bot answers when the probability that the articles hold the answer is above this."
    )

    backoffice_url: str | None = Field(
        None,
        description="Your own back office (docs/backoffice.md): accounts, invoices, visits. Unset: see `DEMO`.",
    )
    backoffice_token: SecretStr | None = Field(None, validate_default=True, description="What it knows the bot by.")
    demo: bool = Field(
        default_factory=lambda fields: fields["company"] == LARKFIELD and not fields["backoffice_url"],
        description="Whether Larkfield's made-up accounts, invoices and visits stand behind the bot; unset: as long as the "
        "company is Larkfield and there is no `BACKOFFICE_URL`.",
    )
    demo_account: str | None = Field(
        None,
        pattern=r"^1002\d{5}$",
        description="A made-up customer that every visitor of the demo is taken for (`100200001` to `100200200`).",
    )

    country: str = Field(
        "GB",
        pattern=r"^[A-Za-z]{2}$",
        description="Where the customers are (ISO 3166): hotlines, and how phone numbers are read.",
    )
    # 0.75: in cross-validation between 74% of written dangers and 5% of near misses at 0.7, and 68% and 3% at 0.8; 0.92
    # where the intent is another's (decision 0022).
    crisis_near_above: float = Field(
        0.75, ge=0, le=1, description="A message this near to written examples of danger is taken for danger."
    )
    # The next three by the same cross-validation: found, and taken for it among near misses.
    # 0.8: 73% and 6%, beside the patterns; 0.5 where the intent says the same.
    asking_near_above: float = Field(
        0.8, ge=0, le=1, description="A message this near to written requests for a person asks for one."
    )
    # 0.85: between 63% and 9% at 0.8, and 49% and 4% at 0.9; the intent must not be another's.
    sensitive_near_above: float = Field(
        0.85, ge=0, le=1, description="A message this near to written examples of a sensitive topic is about it."
    )
    # 0.7: 64% and 12%; one of these alone hands nobody over.
    unhelped_near_above: float = Field(
        0.7, ge=0, le=1, description="A message this near to written examples says that the last reply did not help."
    )
    # 0.7: 81% and 7%; of 739 development messages all 11 insults and no other (some of them were looked at).
    abuse_near_above: float = Field(0.7, ge=0, le=1, description="A message this near to written insults is taken for one.")
    # 0.6: 0 of 250 safe prompts and 2 of 27,174 real questions (docs/decisions/0023).
    injection_above: float = Field(
        0.6, ge=0, le=1, description="Text that looks this much like an order to the bot narrows the turn to retrieval."
    )
    # 0.65: `evals tune escalation` on 380 messages of ours: precision 0.92, recall 0.38 (docs/decisions/0021).
    frustration_above: float = Field(
        0.65, ge=0, le=1, description="A colleague is offered above this frustration, and brought in when it lasts."
    )
    # 0.45: precision 0.81, recall 0.56 on the same messages; the trend must agree.
    declining_above: float = Field(0.45, ge=0, le=1, description="The same while frustration rises from message to message.")
    # 0.5: as for a VIP below; an apology too many costs little.
    upset_above: float = Field(
        0.5, ge=0, le=1, description="A customer is spoken to as somebody who is upset above this frustration."
    )
    # 0.5: precision 0.81, recall 0.55 on the same messages.
    priority_above: float = Field(
        0.5, ge=0, le=1, description="A VIP or vulnerable customer is handed over above this frustration."
    )
    # 2: what Larkfield's customers are promised (talk-to-a-person). The next two are chosen: no stored conversations yet.
    unhelped_turns: int = Field(
        2, ge=1, description="Turns in a row without help for the same need after which a colleague takes over."
    )
    long_conversation_turns: int = Field(
        12, ge=2, description="Turns without a solution after which a colleague is offered."
    )
    offer_again_after: int = Field(
        3, ge=1, description="Turns after which a colleague is offered again when the offer was not taken."
    )

    @field_validator("backoffice_token")
    @classmethod
    def _check_backoffice(cls, value: SecretStr | None, info: ValidationInfo) -> SecretStr | None:
        if value is None and info.data.get("backoffice_url"):
            raise ValueError("needed, because BACKOFFICE_URL is set")
        return value

    @field_validator("demo")
    @classmethod
    def _check_demo(cls, value: bool, info: ValidationInfo) -> bool:
        if value and info.data.get("backoffice_url"):
            raise ValueError("the made-up company and a real back office exclude each other: leave one of them out")
        return value

    @field_validator("demo_account")
    @classmethod
    def _check_demo_account(cls, value: str | None, info: ValidationInfo) -> str | None:
        if value and not info.data.get("demo"):
            raise ValueError("visitors are lent an account of the made-up company only: leave it out, or set DEMO")
        return value
