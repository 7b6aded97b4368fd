"""Words to speak of things with: colours, materials, other adjectives, places, conditions, prompt templates."""

from __future__ import annotations

from collections.abc import Sequence

# The first is how a bank's phrases are written; none of them says more of a thing than its name.
TEMPLATES = (
    "a {}",
    "{}",
    "an {}",
    "the {}",
    "a photo of a {}",
    "a photo of the {}",
    "an image of a {}",
    "a rendering of a {}",
    "a point cloud of a {}",
    "a 3d model of a {}",
    "a cad model of a {}",
    "{}, 3d scan",
    "a 3d scan of a {}",
    "{} 3d model",
    "there is a {} in the scene",
    "a {} in a room",
    "a blurry photo of a {}",
    "a cropped photo of the {}",
    "a close-up photo of a {}",
    "a drawing of a {}",
    "a mesh of a {}",
    "a depth map of a {}",
    "a lidar scan of a {}",
    "a view of a {} from behind",
    "this is a {}",
)
COLORS = (
    *("red", "blue", "green", "white", "black", "yellow", "brown", "grey", "pink", "orange", "purple", "beige"),
    *("dark blue", "light green", "colorful", "golden", "silver"),
)
MATERIALS = (
    *("wooden", "metal", "plastic", "glass", "stone", "leather", "paper", "steel", "ceramic", "brick", "concrete"),
    *("rubber", "iron", "fabric", "wool", "wicker", "bamboo", "marble", "cardboard", "brass", "copper"),
)
ADJECTIVES = (
    *("small", "big", "large", "tiny", "huge", "tall", "long", "short", "round", "square", "flat", "thin"),
    *("wide", "old", "modern", "antique", "new", "broken", "folded", "open", "empty", "medieval", "low poly"),
    *("toy", "dirty", "clean", "soft", "hard", "heavy", "curved", "striped", "transparent", "rusty", "wet"),
    *("electric", "rustic"),
)
# Said after a place or a thing that stands outdoors.
CONDITIONS = (
    *("at night", "at noon", "at sunset", "at dawn", "in the dark", "in bright sunlight", "in the shade"),
    *("in the rain", "in heavy rain", "in fog", "in thick mist", "in snow", "covered in snow", "in a storm"),
    *("under a cloudy sky", "under a clear sky", "in the wind", "on a wet road", "with puddles", "with sun glare"),
    *("full of people", "without people", "full of cars", "in winter", "in summer"),
)
PLACES = (
    *("street", "road", "highway", "crossroads", "crosswalk", "sidewalk", "parking lot", "parking garage"),
    *("tunnel", "bridge", "roundabout", "alley", "driveway", "bus stop", "railway station", "airport", "harbor"),
    *("gas station", "city", "village", "suburb", "market", "construction site", "factory", "warehouse", "farm"),
    *("field", "meadow", "forest", "park", "garden", "beach", "desert", "mountain", "hill", "river", "lake"),
    *("sea", "coast", "canyon", "kitchen", "bathroom", "bedroom", "living room", "dining room", "office"),
    *("classroom", "library", "hospital", "church", "museum", "restaurant", "shop", "supermarket", "gym"),
    *("cellar", "attic", "garage", "corridor", "playground", "stadium", "swimming pool", "sky", "traffic jam"),
    *("crowd", "pedestrian", "cyclist", "parked car", "oncoming truck", "rain", "snow", "fog", "mist", "storm"),
    *("lightning", "sunset", "sun glare"),
)


def wide_phrases(names: Sequence[str], nouns: Sequence[str], *, each: int = 20) -> list[tuple[str, str]]:
    """A wide list of phrases to make a bank of, each with the name that it speaks of, empty for a scene.

    Every name in every template; every noun after "a"; every colour, material and adjective before `each` of the
    names, evenly spread; every place, plain and in every condition.
    """
    rows = {template.format(name): name for name in names for template in TEMPLATES}
    rows |= {f"a {noun}": noun for noun in nouns if f"a {noun}" not in rows}
    for i, word in enumerate((*COLORS, *MATERIALS, *ADJECTIVES)):
        step = max(len(names) // each, 1)
        chosen = ((f"a {word} {name}", name) for name in names[i % step :: step][:each])
        # What is a name itself, such as a wooden spoon, keeps its own.
        rows |= {phrase: name for phrase, name in chosen if phrase not in rows}
    rows |= {f"a {place}": place for place in PLACES if f"a {place}" not in rows}
    return [*rows.items(), *((f"a {place} {condition}", "") for place in PLACES for condition in CONDITIONS)]
