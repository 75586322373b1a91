"""Questions as customers of the demo company would type them: many different ones, so that no cache flatters a figure."""

import random
from collections.abc import Iterator

# fmt: off
SLOTS = {
    "service": ("broadband", "mobile", "home phone", "fibre", "cable", "SIM-only", "pay as you go", "business broadband"),
    "device": ("router", "mesh extender", "phone", "tablet", "eSIM", "landline handset", "smart TV", "laptop"),
    "place": ("kitchen", "upstairs", "garden office", "loft", "basement", "new house", "office", "whole street"),
    "day": ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday", "yesterday", "last week"),
    "amount": ("£4", "£7.50", "£12", "£18.99", "£25", "£31", "£46.20", "£60"),
    "country": ("Spain", "France", "Norway", "Turkey", "Canada", "Japan", "Switzerland", "the USA"),
    "light": ("red", "amber", "flashing white", "blue", "orange", "off"),
    "person": ("my mother", "my husband", "my flatmate", "my daughter", "my tenant", "a carer", "my late father"),
}
CORES = (
    "why did my {service} bill go up by {amount}",
    "how do I pay my {service} bill by card",
    "can I change the date my {service} payment is taken",
    "what happens if I miss the {service} payment on {day}",
    "I cannot afford the {amount} on my {service} bill",
    "how do I set a spending cap of {amount} on my {device}",
    "when will my refund of {amount} arrive",
    "was I charged {amount} twice on {day}",
    "what is the part-month charge of {amount} on my first {service} bill",
    "when does the yearly price rise hit {service}",
    "how do I reset my password on my {device}",
    "my account is locked since {day}",
    "how do I turn on two-step login on my {device}",
    "can {person} speak to you about my {service} account",
    "how do I change the email address for {service}",
    "{person} has died and had {service} with you",
    "my {service} is down in the {place} since {day}",
    "my {device} shows a {light} light",
    "the wi-fi is slow in the {place} on my {device}",
    "my {service} has been slow since {day}",
    "there is no dial tone on the {device} since {day}",
    "I have no signal in the {place}",
    "mobile data is slow on my {device} in the {place}",
    "how do I set up an eSIM on my {device}",
    "I lost my {device} on {day}, how do I block it",
    "how do I turn on wi-fi calling on my {device}",
    "my voicemail does not work on my {device} since {day}",
    "is there an outage in the {place} for {service}",
    "how much compensation do I get for {service} being off since {day}",
    "what works during a power cut if I have {service} and a {device}",
    "when is the planned maintenance for {service} on {day}",
    "how do I cancel my {service}",
    "what does it cost to cancel {service} before the end of the contract, {amount}",
    "which {service} plan is best for {person}",
    "can I move my {service} plan to a cheaper one for {amount}",
    "where is my {device} order from {day}",
    "can I cancel the {device} order I placed on {day}",
    "how do I get a PAC to leave {service}",
    "can I use my {device} in {country}",
    "what does data cost in {country} on {service}",
    "how do I move my {service} to the {place}",
    "can I change the engineer visit on {day}",
    "what if I cancel the engineer appointment on {day}",
    "will the engineer on {day} need to come into the {place}",
    "how do I send back the {device}",
    "how do I complain about {service}",
    "can I talk to a person about my {service} on {day}",
    "when are you open on {day}",
    "{person} needs extra help with {service}",
    "how do I get a copy of the data you keep about {person}",
    "please delete the data of {person}",
    "how long do you keep my {service} call records",
    "how do I set up parental controls on the {device}",
    "I got a text about {amount} from you on {day}, is it a scam",
    "do you do business plans for {service} with a {device}",
    "is the student discount of {amount} valid for {service}",
    "do you sell insurance for my {device} in {country}",
)
OPENERS = ("", "Hi, ", "Hello, ", "Quick question: ", "Please help, ", "Sorry to bother you, ", "Good morning, ", "Hey, ")
ENDINGS = ("?", "", "??", " please?", ", thanks", "? It is urgent.", "? I asked before.", "? I am on the train.", " today?")
# fmt: on


def different_questions(seed: int) -> Iterator[str]:
    """Questions without end in a seeded random order; none comes twice, and there are about 215,000."""
    chance = random.Random(seed)
    seen: set[str] = set()
    while True:
        slots = {name: chance.choice(words) for name, words in SLOTS.items()}
        question = chance.choice(OPENERS) + chance.choice(CORES).format_map(slots) + chance.choice(ENDINGS)
        if question not in seen:
            seen.add(question)
            yield question


def count_questions() -> int:
    """How many different questions there are."""
    total = 0
    for core in CORES:
        filled = 1
        for name, words in SLOTS.items():
            filled *= len(words) if "{" + name + "}" in core else 1
        total += filled
    return total * len(OPENERS) * len(ENDINGS)
