/** 32-bit FNV-1a with a final avalanche, so that similar names spread evenly. */
function weight(member: string, partition: number): number {
  let hash = 0x811c9dc5;
  for (const character of `${member}/${partition}`) {
    hash = Math.imul(hash ^ character.charCodeAt(0), 0x01000193) >>> 0;
  }
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b) >>> 0;
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35) >>> 0;
  return (hash ^ (hash >>> 16)) >>> 0;
}

/**
 * Rendezvous hashing: the member with the highest weight owns the partition. When a member comes or goes only the
 * partitions that it wins or held move.
 */
export function ownerOf(partition: number, members: readonly string[]): string | undefined {
  let best: string | undefined;
  let bestWeight = -1;
  for (const member of members) {
    const own = weight(member, partition);
    if (own > bestWeight || (own === bestWeight && best !== undefined && member < best)) {
      best = member;
      bestWeight = own;
    }
  }
  return best;
}
