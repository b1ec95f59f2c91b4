import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type Cut, RECORD_OCTETS_MAX, RecordCutter } from './lead-records.ts';

function cutAll(chunks: readonly Buffer[]): Cut {
  const cutter = new RecordCutter();
  const cuts = [...chunks.map((chunk) => cutter.cut(chunk)), cutter.end()];
  return {
    records: cuts.flatMap(({ records }) => records),
    octets: Buffer.concat(cuts.map(({ octets }) => octets)),
  };
}

const octets = fc
  .array(fc.constantFrom('a', '"', ',', '\n', '\r', '""', 'b\n', ',"'), { maxLength: 80 })
  .map((pieces) => Buffer.from(pieces.join('')));

test('where a file is cut into chunks makes no difference, not even inside of a CRLF or a double quote', () => {
  fc.assert(
    fc.property(octets, fc.array(fc.nat(80)), (file, places) => {
      const at = [0, ...places.filter((place) => place < file.length), file.length].toSorted((a, b) => a - b);
      const chunks = at.slice(1).map((end, index) => file.subarray(at[index], end));
      expect(cutAll(chunks)).toEqual(cutAll([file]));
    }),
  );
});

test('of a file with one column and without a quote nothing is lost', () => {
  const plain = octets.map((file) => Buffer.from(file.toString().replaceAll(/[",]/g, '')));
  fc.assert(
    fc.property(plain, (file) => {
      const cut = cutAll([file]);
      expect(cut.octets).toEqual(file);
      expect(cut.records).toHaveLength(
        file
          .toString()
          .split(/[\r\n]+/)
          .filter(Boolean).length,
      );
    }),
  );
});

test('a record may have as many octets as the limit says, and not one more, in chunks of any size', () => {
  const file = Buffer.from(`${'a'.repeat(RECORD_OCTETS_MAX - 1)}\n${'b'.repeat(RECORD_OCTETS_MAX)}\nc\n`);
  for (const size of [1000, RECORD_OCTETS_MAX, file.length]) {
    const count = Math.ceil(file.length / size);
    const chunks = Array.from({ length: count }, (_, n) => file.subarray(n * size, (n + 1) * size));
    const { records, octets: kept } = cutAll(chunks);
    expect(records.map(({ row, problem }) => [row, problem])).toEqual([
      [1, null],
      [2, 'too_long'],
      [3, null],
    ]);
    expect(kept.length).toBe(RECORD_OCTETS_MAX + 2);
  }
});

test('a record has as many fields as the header, however they are quoted', () => {
  const { records } = cutAll([Buffer.from('a,b\n"1,1",2\n1,2,3\n1\n,\n"1\n",\n')]);
  expect(records.map(({ row, fields, problem }) => [row, fields, problem])).toEqual([
    [1, 2, null],
    [2, 2, null],
    [3, 3, 'other_width'],
    [4, 1, 'other_width'],
    [5, 2, null],
    [6, 2, null],
  ]);
});
