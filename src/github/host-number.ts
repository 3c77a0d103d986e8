/** GitHub's numeric id as the API takes it. Ids are kept as decimal text; throws RangeError for anything else. */
export function hostNumber(id: string): number {
  const number = Number(id);
  if (/^\d{1,16}$/.test(id) && Number.isSafeInteger(number)) return number;
  throw new RangeError(`'${id.slice(0, 40)}' is no numeric id of GitHub`);
}
