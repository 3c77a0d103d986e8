"""Makes the data set: what a small weather station saw each day, and whether it rained the day after."""

import csv
import math
import random
from pathlib import Path

DAYS = 2000
SEED = 7


def observe_day(rng):
    pressure = rng.gauss(1013, 9)
    humidity = min(100, max(20, rng.gauss(68 - 0.6 * (pressure - 1013), 13)))
    wind = rng.gammavariate(2.2, 2.4)
    cloud = min(100, max(0, rng.gauss(humidity - 10, 22)))
    # Weather is never certain: rain is drawn from a probability, so no model can be right every day.
    score = -0.16 * (pressure - 1013) + 0.05 * (humidity - 68) + 0.03 * (cloud - 58) + 0.12 * (wind - 5) - 0.3
    rain = rng.random() < 1 / (1 + math.exp(-score))
    return [round(pressure, 1), round(humidity), round(wind, 1), round(cloud), int(rain)]


def main():
    rng = random.Random(SEED)
    Path("data").mkdir(exist_ok=True)
    with open("data/weather.csv", "w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["pressure", "humidity", "wind", "cloud", "rain_tomorrow"])
        for day in range(1, DAYS + 1):
            writer.writerow(observe_day(rng))
            if day % 500 == 0:
                print(f"{day} of {DAYS} days", flush=True)


main()
