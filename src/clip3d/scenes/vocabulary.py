"""What is usually found indoors: words that an inventory chooses among, and that a question is weighed against."""

from __future__ import annotations

INDOORS: tuple[str, ...] = (
    *("chair", "office chair", "armchair", "stool", "bench", "sofa", "ottoman", "bed", "crib", "pillow"),
    *("mattress", "table", "coffee table", "desk", "night stand", "dresser", "bookshelf", "shelf", "wardrobe"),
    *("cabinet", "filing cabinet", "counter", "box", "crate", "basket", "bag", "backpack", "suitcase"),
    *("trash can", "bucket", "door", "window", "curtain", "blinds", "stairs", "railing", "column", "radiator"),
    *("fireplace", "picture frame", "mirror", "whiteboard", "clock", "rug", "lamp", "floor lamp", "ceiling lamp"),
    *("fan", "air conditioner", "television", "computer monitor", "computer", "laptop", "keyboard"),
    *("computer mouse", "printer", "telephone", "loudspeaker", "projector", "camera", "book", "paper", "cup"),
    *("plate", "bowl", "bottle", "vase", "pot", "pan", "refrigerator", "stove", "microwave", "oven"),
    *("dishwasher", "washing machine", "coffee maker", "toaster", "kettle", "sink", "faucet", "toilet"),
    *("bathtub", "shower", "towel", "toilet paper", "potted plant", "flowers", "bicycle", "ladder", "piano"),
    *("guitar", "toy", "ball", "shoe", "jacket", "person", "dog", "cat", "vacuum cleaner", "ironing board"),
    *("fire extinguisher", "water cooler", "vending machine", "machine", "pipe", "cable", "tool"),
)
