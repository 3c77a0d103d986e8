"""Measures the model on the held-out days, which it has never seen; writes metrics.json and report.md."""

import csv
import json


def main():
    with open("model.json") as file:
        model = json.load(file)
    with open("data/summary.json") as file:
        summary = json.load(file)
    with open("data/test.csv", newline="") as file:
        _, *rows = csv.reader(file)

    counts = {(truth, guess): 0 for truth in (0, 1) for guess in (0, 1)}
    for row in rows:
        score = model["bias"] + sum(w * float(x) for w, x in zip(model["weights"], row))
        counts[int(row[-1]), int(score > 0)] += 1
    rainy = counts[1, 0] + counts[1, 1]
    warned = counts[0, 1] + counts[1, 1]
    metrics = {
        "days": len(rows),
        "accuracy": round((counts[0, 0] + counts[1, 1]) / len(rows), 4),
        # What always giving the more frequent answer would reach.
        "baseline": round(max(rainy, len(rows) - rainy) / len(rows), 4),
        "precision": round(counts[1, 1] / max(1, warned), 4),
        "recall": round(counts[1, 1] / max(1, rainy), 4),
        "confusion": {
            "dry, said dry": counts[0, 0],
            "dry, said rain": counts[0, 1],
            "rain, said dry": counts[1, 0],
            "rain, said rain": counts[1, 1],
        },
    }
    with open("metrics.json", "w") as file:
        json.dump(metrics, file, indent=2)
    with open("report.md", "w") as file:
        file.write(report(metrics, model, summary, counts))
    print(f"accuracy {metrics['accuracy']:.1%} on {len(rows)} held-out days", flush=True)
    print(f"always the same answer: {metrics['baseline']:.1%}", flush=True)


def report(metrics, model, summary, counts):
    weights = "\n".join(f"| {name} | {w:+.2f} |" for name, w in zip(model["inputs"], model["weights"]))
    return f"""# Will it rain tomorrow?

A logistic regression on {summary['days']} days, measured on the {metrics['days']} that it has not seen.

| | |
| --- | ---: |
| accuracy | {metrics['accuracy']:.1%} |
| always the same answer | {metrics['baseline']:.1%} |
| precision | {metrics['precision']:.1%} |
| recall | {metrics['recall']:.1%} |

| | said dry | said rain |
| --- | ---: | ---: |
| was dry | {counts[0, 0]} | {counts[0, 1]} |
| rained | {counts[1, 0]} | {counts[1, 1]} |

What speaks for rain, on one scale:

| observed | weight |
| --- | ---: |
{weights}
"""


main()
