"""Options of `clip3d search`: for files, for collections, and for both."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

Words = Annotated[
    list[str] | None,
    typer.Argument(metavar="[QUERY] PATH", help="Words (optional with --image, --like, ...), files and folders."),
]
Db = Annotated[
    str | None, typer.Option("--db", metavar="DB", help="Search this collection instead of files and folders.")
]
Images = Annotated[
    list[str] | None,
    typer.Option("--image", metavar="FILE", help="A picture that shows what to find; with --db repeatable."),
]
Likes = Annotated[
    list[str] | None,
    typer.Option("--like", metavar="FILE", help="A cloud or mesh like what to find; with --db repeatable."),
]
Negatives = Annotated[list[str] | None, typer.Option("--not", metavar="TEXT", help="What not to find; repeatable.")]
Answers = Annotated[int, typer.Option("-k", min=1, help="At most so many answers.")]
Threshold = Annotated[float | None, typer.Option("--threshold", min=-1, max=1, help="Least score.")]
Html = Annotated[
    Path | None, typer.Option("--html", "--page", metavar="FILE", help="Also write a page with pictures.")
]

FurtherWords = Annotated[
    list[str] | None, typer.Option("--text", metavar="TEXT", help="With --db: further words; repeatable.")
]
LikeItems = Annotated[
    list[str] | None,
    typer.Option("--hit", metavar="ID|PATH", help="With --db: more like this item of the collection; repeatable."),
]
Lidar = Annotated[
    list[str] | None, typer.Option("--lidar", metavar="TEXT", help="With --db: words for what the lidar sees.")
]
Camera = Annotated[
    list[str] | None, typer.Option("--camera", metavar="TEXT", help="With --db: words for what the camera sees.")
]
Where = Annotated[
    str | None, typer.Option("--where", metavar="SQL", help="With --db: only items of which this is true.")
]
Rule = Annotated[
    str | None,
    typer.Option(
        "--rule",
        metavar="NAME",
        help="With --db: how lidar and camera rank frames together: features, unit-features, scores, "
        "standard-scores, ranks, lidar-first or camera-first; features for one prompt, standard-scores for two.",
    ),
]
Over = Annotated[
    str | None,
    typer.Option(
        "--over",
        metavar="VIEWS",
        help="With --db: frames by one camera's view, all cameras together, quarters of the sweep or the sweep "
        "alone: camera, cameras, quarter or sweep.",
    ),
]
Fold = Annotated[
    float | None,
    typer.Option("--fold", min=0, metavar="SECONDS", help="With --db: views of a log so near are one; 0 for none."),
]
PromptTemplates = Annotated[
    list[str] | None,
    typer.Option(
        "--templates",
        metavar="NAME|TEXT",
        help="With --db: put words into prompts: objects, weather, period, or a text with {}; repeatable.",
    ),
]
Locate = Annotated[
    bool | None,
    typer.Option(
        "--locate/--no-locate",
        help="With --db: read the logs of frames found to say which part of sweep and picture answered; a page "
        "does so unless told not to.",
    ),
]
PicturesDir = Annotated[
    Path | None,
    typer.Option("--pictures", metavar="DIR", help="With --db: also write a picture of each frame found."),
]
Offset = Annotated[int, typer.Option("--offset", min=0, help="With --db: pass over so many answers.")]
Confident = Annotated[
    bool, typer.Option("--confident", help="With --db: only what fits the words, and that may be nothing.")
]
Unique = Annotated[bool, typer.Option("--unique", help="With --db: each content once, with a count of its copies.")]
Near = Annotated[
    float | None,
    typer.Option("--near", metavar="COSINE", help="With --db: what is as near, such as 0.98, are copies, too."),
]
Diversity = Annotated[
    float, typer.Option("--diversity", metavar="WEIGHT", help="With --db: from 0 to 1, less of the same.")
]
Group = Annotated[
    str | None,
    typer.Option("--group", metavar="COLUMN", help="With --db: the best of each value of a column, or of folder."),
]
PerGroup = Annotated[int, typer.Option("--per-group", min=1, help="With --db: so many of each group.")]
Show = Annotated[
    list[str] | None, typer.Option("--show", metavar="COLUMN", help="With --db: a column more; repeatable.")
]
Csv = Annotated[
    str | None, typer.Option("--csv", metavar="FILE", help="With --db: also write CSV; - for stdout alone.")
]
Parquet = Annotated[Path | None, typer.Option("--parquet", metavar="FILE", help="With --db: also write Parquet.")]
Links = Annotated[
    Path | None, typer.Option("--links", metavar="DIR", help="With --db: also fill a folder with links to hits.")
]
ModelOfCollection = Annotated[
    str | None,
    typer.Option(
        "--model",
        metavar="NAME|FOLDER",
        help="An embedded model, a folder, or open_clip:ARCHITECTURE/WEIGHTS; mini, or that of the collection.",
    ),
]
