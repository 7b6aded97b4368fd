"""The fixed list of phrases whose mean text vector may be subtracted in a converted CLIP's space.

Changing the list changes the spaces made with it: `PHRASES_VERSION` is part of their ids.
"""

from __future__ import annotations

PHRASES_VERSION = 1
TEMPLATE = "a {}"
THINGS = """
chair, sofa, table, desk, bed, wardrobe, bookshelf, drawer, lamp, mirror, rug, curtain, pillow, blanket, door,
window, bathtub, toilet, sink, shower, stove, oven, refrigerator, kettle, toaster, pan, plate, bowl, cup, mug,
bottle, glass, jar, knife, fork, spoon, basket, box, bucket, broom, candle, clock, vase, flower pot, picture
frame, book, newspaper, envelope, pen, pencil, scissors, ruler, stapler, computer, keyboard, mouse, monitor,
laptop, printer, telephone, camera, radio, television, loudspeaker, headphones, remote control, battery, light
bulb, fan, heater, guitar, piano, violin, drum, trumpet, ball, bat, racket, skateboard, surfboard, ski, helmet,
glove, kite, doll, teddy bear, puzzle, balloon, hammer, screwdriver, wrench, saw, drill, ladder, rope, chain,
nail, screw, gear, pipe, valve, engine, pump, robot, crane, tractor, bulldozer, car, truck, bus, van,
motorcycle, bicycle, train, tram, airplane, helicopter, drone, rocket, boat, ship, canoe, submarine, wheel,
tire, traffic light, street sign, fire hydrant, bench, mailbox, fence, bridge, house, castle, church, tower,
skyscraper, tent, statue, fountain, windmill, swing, slide, shirt, trousers, dress, coat, shoe, boot, sock, hat,
scarf, belt, tie, backpack, handbag, suitcase, umbrella, watch, ring, necklace, eyeglasses, wallet, key, coin,
apple, banana, orange, grape, strawberry, lemon, tomato, carrot, potato, onion, mushroom, corn, bread, cake,
cookie, pizza, sandwich, hamburger, cheese, egg, fish, chicken, dog, cat, horse, cow, sheep, pig, goat, rabbit,
bear, lion, tiger, elephant, giraffe, zebra, monkey, squirrel, deer, fox, wolf, bird, eagle, owl, duck, penguin,
parrot, turtle, snake, lizard, frog, shark, whale, dolphin, crab, spider, butterfly, bee, ant, snail, dinosaur,
dragon, tree, bush, flower, leaf, cactus, grass, stone, mountain, cloud, person, man, woman, child, baby, hand,
face, skeleton, soldier, doctor, dancer, flag, map, sword, shield, gun, arrow, anchor, barrel, crate, trophy
"""


def mean_phrases() -> list[str]:
    """The phrases, "a chair" and so on, each once and in their order."""
    names = dict.fromkeys(" ".join(name.split()) for name in THINGS.split(","))
    return [TEMPLATE.replace("{}", name) for name in names]
