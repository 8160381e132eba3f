const slotCount = 16_384

/** The hash slot of a key in a Redis Cluster. */
export function slotOf(key: string): number {
  const [, tag] = /\{([^}]+)\}/.exec(key) ?? []
  return crc16(tag ?? key) % slotCount
}

/** The number that stands between two texts for all of it to be in the slot. */
export function numberInSlot(slot: number, before: string, behind = ''): string {
  const crc = crc16(before)
  for (let number = 0; ; number += 1) {
    if (crc16(`${number}${behind}`, crc) % slotCount === slot) return String(number)
  }
}

const remainders = Uint16Array.from({ length: 256 }, (_, byte) => {
  let crc = byte << 8
  for (let bit = 0; bit < 8; bit += 1) crc = crc & 0x8000 ? (crc << 1) ^ 0x1021 : crc << 1
  return crc
})

/** CRC-16/XMODEM of a text in ASCII, which goes on from that of the text before it. */
function crc16(text: string, before = 0): number {
  let crc = before
  for (let at = 0; at < text.length; at += 1) {
    crc = ((crc << 8) & 0xffff) ^ (remainders[(crc >> 8) ^ text.charCodeAt(at)] ?? 0)
  }
  return crc
}
