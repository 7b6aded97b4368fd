"""Forty phrases of scenes, weather and adjectives, each with one right paraphrase among four.

No bank of names has such phrases, so nothing tells where they truly lie. What can be asked of a tower is that it
keeps them apart: the right choice says the same in other words, and the wrong ones mostly share a word or the scene
with the phrase. Written before any tower was scored on them, and not for choosing.
"""

from __future__ import annotations

# Each row: a phrase, its paraphrase, and three phrases that say something else.
UNANCHORED: tuple[tuple[str, str, str, str, str], ...] = (
    ("a foggy road", "a street in thick mist", "a street in bright sunshine", "a gravel road", "a snowy street"),
    ("heavy rain in a city", "a downpour over town", "a city on a sunny day", "a city map", "snow in a city"),
    ("a street at night", "a dark road after sunset", "a street at noon", "a street sign", "a busy market"),
    ("sun glare on the camera", "blinding sunlight into the lens", "a camera bag", "a cloudy sky", "a dark tunnel"),
    ("a snowy mountain", "a peak covered in white", "a desert dune", "a green hill", "a mountain bike"),
    ("a thunderstorm", "lightning and dark clouds", "a clear blue sky", "a rainbow", "a gentle breeze"),
    ("a wet road", "pavement covered in puddles", "a dry highway", "a wet dog", "a dusty trail"),
    ("an icy street", "a frozen slippery road", "a hot dry road", "an ice cream", "a flooded street"),
    ("a cloudy sky", "an overcast day", "a clear night with stars", "a sunny morning", "a blue carpet"),
    ("a windy day", "strong gusts of air outside", "a calm lake", "a wind instrument", "a warm evening"),
    (
        "a sunset over the sea", "the evening sun sinking into the ocean",
        "a sea in a storm", "a sea lion", "noon in town",
    ),
    ("a sandstorm", "dust blown through the air", "a sandy beach in the sun", "a sandwich", "a rain shower"),
    ("a highway", "a motorway with many lanes", "a narrow forest path", "a railway station", "a high chair"),
    ("a parking lot", "many parked cars", "an empty field", "a public park with trees", "a car engine"),
    ("a construction site", "workers building a house", "a finished apartment", "a camping site", "a toy brick"),
    ("a kitchen", "a room for cooking", "a room for sleeping", "a room for washing", "a kitchen knife"),
    ("an office", "a workplace with desks", "a place of worship", "a gym with weights", "a farm"),
    ("a forest", "woods full of trees", "open grassland", "a tree house", "a rocky coast"),
    ("a beach", "sand beside the sea", "a rocky summit", "a beach ball", "a swimming pool"),
    ("a classroom", "a room where pupils learn", "a hospital ward", "a hotel lobby", "a school bus"),
    ("a crowded street", "a road full of people", "a deserted alley", "an empty highway", "a street lamp"),
    (
        "a traffic jam", "cars stuck in a long queue",
        "a single car on an open road", "a jar of jam", "a traffic light",
    ),
    ("a tunnel", "a road that runs underground", "a bridge over water", "a hill top", "a tent"),
    ("a living room", "a lounge with sofas", "a cellar with barrels", "a bathroom", "a green house plant"),
    (
        "a person crossing the street", "a pedestrian on a crosswalk",
        "a person in bed", "a car on the street", "a crossbow",
    ),
    (
        "a cyclist in the rain", "someone riding a bike in wet weather",
        "a cyclist in the sun", "a rain coat", "a parked car",
    ),
    ("a red car", "a crimson automobile", "a blue automobile", "a red apple", "a grey truck"),
    (
        "a wooden chair", "a seat made of timber",
        "a seat made of steel", "a wooden spoon", "an upholstered armchair",
    ),
    ("a tall lamp", "a high standing light", "a small table light", "a tall man", "a low stool"),
    ("a broken cup", "a cracked mug", "an unused clean mug", "a broken window", "a full bottle"),
    ("an old house", "an ancient home", "a newly built home", "an old man", "a modern office tower"),
    ("a round table", "a circular desk", "a square desk", "a round ball", "a long bench"),
    ("a tiny dog", "a very small puppy", "a huge hound", "a tiny house", "a large cat"),
    ("an empty bottle", "a flask with nothing in it", "a flask full of wine", "an empty room", "a broken plate"),
    ("a metal bucket", "a steel pail", "a plastic pail", "a metal door", "a paper bag"),
    ("a soft blanket", "a fluffy cover", "a hard plank", "a soft drink", "a rough stone"),
    ("a leather sofa", "a couch covered in hide", "a couch covered in cloth", "a leather shoe", "a glass table"),
    ("a golden ring", "a band made of gold", "a band made of silver", "a golden retriever", "an iron chain"),
    ("a dirty truck", "a lorry covered in mud", "a shiny clean lorry", "dirty dishes", "a new bicycle"),
    ("a transparent box", "a clear case you can see through", "an opaque black case", "a box of matches", "a wall"),
)
