"""The memory of a set whose images lie in parquet shards, and how fast they are read in order and in random order.

    python examples/measure_embedded.py                     # 100,000 rows of 8 KB images in 19 shards
    python examples/measure_embedded.py --rows 2000 --image_bytes 2400000 --shards 19 --row_group 100

Each image is a JPEG of its own: padded to --image_bytes behind its end, so that the file is as large as one of
photographs. Memory is resident memory above that of the imports and of loading a set of one row. Shards are written
into a folder below --folder that is deleted at the end.
"""

import argparse
import io
import random
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import psutil
import pyarrow
from peak_memory import PeakMemory
from PIL import Image
from pyarrow import parquet

from pixel_env.task import Task
from pixel_env.tasks import load_tasks

MIB = 2**20


def main() -> int:
    """Prints the figures. Returns the exit code."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--shards", type=int, default=19)
    parser.add_argument("--image_bytes", type=int, default=8_000)
    parser.add_argument("--row_group", type=int, default=1000, help="rows of a row group")
    parser.add_argument("--shown", type=int, default=300, help="images that are decoded in each order")
    parser.add_argument("--folder", type=Path, default=None, help="where shards are written; default: the system's own")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=options.folder) as folder:
        warm, data = Path(folder, "warm"), Path(folder, "data")
        write_shards(warm, 1, 1, options.image_bytes, 1)
        write_shards(data, options.rows, options.shards, options.image_bytes, options.row_group)
        load_tasks(warm).tasks[0].sources[0].decode()
        report(data, options.shown)
    return 0


def report(data: Path, shown: int) -> None:
    """Loads the set and shows some of its images."""
    size = sum(file.stat().st_size for file in data.iterdir())
    before, start = psutil.Process().memory_info().rss, time.perf_counter()
    with PeakMemory() as loading:
        tasks = load_tasks(data).tasks
    seconds = time.perf_counter() - start
    held = psutil.Process().memory_info().rss - before
    print(f"{len(tasks):,} tasks in {size / MIB:,.0f} MiB, loaded in {seconds:.1f} s")
    print(f"memory: {held / MIB:.0f} MiB held, {loading.bytes_above / MIB:.0f} MiB at most while loading")
    for name, some in (("in order", tasks[:shown]), ("in random order", random.Random(0).sample(tasks, shown))):
        with PeakMemory() as showing:
            rate = shown_per_second(some)
        print(f"{name}: {rate:,.0f} images/s, {showing.bytes_above / MIB:.0f} MiB at most")


def shown_per_second(tasks: Sequence[Task]) -> float:
    """How many images a second are decoded."""
    start = time.perf_counter()
    for task in tasks:
        task.sources[0].decode()
    return len(tasks) / (time.perf_counter() - start)


def write_shards(folder: Path, rows: int, shards: int, image_bytes: int, row_group: int) -> None:
    """Shards as the hub has them: an image column of bytes and path, a question, options and an answer."""
    folder.mkdir()
    buffer = io.BytesIO()
    Image.effect_noise((64, 48), 60).convert("RGB").save(buffer, "JPEG")
    content = buffer.getvalue()
    kind = pyarrow.struct([("bytes", pyarrow.binary()), ("path", pyarrow.string())])
    schema = pyarrow.schema([("image", kind), ("question", pyarrow.string()), ("answer", pyarrow.string())])
    schema = schema.append(pyarrow.field("options", pyarrow.list_(pyarrow.string())))
    for shard in range(shards):
        numbers = range(shard * rows // shards, (shard + 1) * rows // shards)
        name = folder / f"test-{shard:05}-of-{shards:05}.parquet"
        with parquet.ParquetWriter(name, schema, compression="none", use_dictionary=False) as writer:
            for first in range(numbers.start, numbers.stop, row_group):
                group = [
                    {
                        "image": {"bytes": content + b"%012d" % number * (image_bytes // 12), "path": f"{number}.jpg"},
                        "question": f"Which of the two is in photograph {number}?",
                        "options": ["a cup", "a plant"],
                        "answer": "A",
                    }
                    for number in range(first, min(first + row_group, numbers.stop))
                ]
                writer.write_table(pyarrow.Table.from_pylist(group, schema), row_group)


if __name__ == "__main__":
    raise SystemExit(main())
