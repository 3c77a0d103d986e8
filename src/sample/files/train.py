"""Trains a logistic regression by gradient descent, and writes it to model.json."""

import csv
import json
import math

STEPS = 200
RATE = 0.1


def main():
    with open("data/train.csv", newline="") as file:
        header, *rows = csv.reader(file)
    inputs = [[float(x) for x in row[:-1]] for row in rows]
    labels = [int(row[-1]) for row in rows]
    weights, bias = [0.0] * len(inputs[0]), 0.0

    for step in range(1, STEPS + 1):
        slope, slope_bias, loss = [0.0] * len(weights), 0.0, 0.0
        for x, label in zip(inputs, labels):
            score = bias + sum(w * value for w, value in zip(weights, x))
            guess = 1 / (1 + math.exp(-score))
            loss -= math.log(guess if label else 1 - guess)
            slope_bias += guess - label
            for i, value in enumerate(x):
                slope[i] += (guess - label) * value
        weights = [w - RATE * s / len(inputs) for w, s in zip(weights, slope)]
        bias -= RATE * slope_bias / len(inputs)
        if step == 1 or step % 50 == 0:
            print(f"step {step} of {STEPS}: loss {loss / len(inputs):.4f}", flush=True)

    with open("model.json", "w") as file:
        json.dump({"inputs": header[:-1], "weights": weights, "bias": bias}, file, indent=2)
    print("model.json written", flush=True)


main()
