import { InvalidArgumentError } from 'commander';

const whole = /^[1-9]\d{0,8}$/;

/** The whole number from 1 that an option is given. Throws `InvalidArgumentError`, as commander asks for. */
export function count(text: string): number {
  if (whole.test(text)) return Number(text);
  throw new InvalidArgumentError('It must be a whole number from 1.');
}

/** The same, where there is a largest. */
export function upTo(most: number): (text: string) => number {
  return (text) => {
    if (whole.test(text) && Number(text) <= most) return Number(text);
    throw new InvalidArgumentError(`It must be a whole number from 1 to ${most}.`);
  };
}
