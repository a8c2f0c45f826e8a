"""Prints sentences from templates, all different: a corpus to try things on.

    python bench/make_sentences.py 10000 > sentences.txt
"""

import sys

NAMES = "Mary John Anna Paul Lena Omar Ruth Igor Nina Hugo Vera Carl Elsa Finn Zoe Amir".split()
PLACES = "store park school bank house garden office market station library harbour".split()
THINGS = "map cart letter book lamp key coat ring box drum ticket boat cup".split()
TEMPLATES = [
    "{a} and {b} went to the {p}. {a} gave the {t} to {b}, and {b} put the {t} on the table.",
    '"Where is the {t}?" asked {a}. "I left the {t} at the {p}," said {b}.',
    "The {t} that {a} found in the {p} was never returned to {b}.",
    "When {a} came to the {p}, {b} had already sold the {t}; when {a} left the {p}, it was raining.",
    "{a}, who had not seen {b} for years, waited at the {p} with a {t}.",
    "It was {n} in the morning, and the {p} was empty except for {a} and {b}.",
    "{a} has {n} of these: a {t}, another {t}, and the {t} of {b}.",
]

for n in range(int(sys.argv[1])):
    a, b = NAMES[n % 16], NAMES[(7 * n + n // 16 + 3) % 16]
    words = {"a": a, "b": b if b != a else "somebody", "p": PLACES[n * 5 % 11], "t": THINGS[(n // 7) % 13], "n": n}
    print(TEMPLATES[n % 7].format(**words) + (f" That was number {n}." if n >= 500 else ""))
