"""Splits the days into those to learn from and those held out, and puts all columns on one scale."""

import csv
import random
import statistics

SEED = 11
HELD_OUT = 0.25


def write(path, header, rows):
    with open(path, "w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(header)
        writer.writerows(rows)
    print(f"{path}: {len(rows)} days", flush=True)


def main():
    with open("data/weather.csv", newline="") as file:
        header, *rows = csv.reader(file)
    days = [[float(value) for value in row] for row in rows]
    random.Random(SEED).shuffle(days)
    cut = round(len(days) * HELD_OUT)
    held_out, learn = days[:cut], days[cut:]

    # The scale comes from the days to learn from alone: the held-out days must not leak into the model.
    columns = list(zip(*learn))[:-1]
    means = [statistics.fmean(column) for column in columns]
    spreads = [statistics.pstdev(column) or 1.0 for column in columns]

    def scale(day):
        scaled = [(x - mean) / spread for x, mean, spread in zip(day, means, spreads)]
        return [round(x, 5) for x in scaled] + [int(day[-1])]

    write("data/train.csv", header, [scale(day) for day in learn])
    write("data/test.csv", header, [scale(day) for day in held_out])


main()
