#pragma once

/** @file
 *  The vector kernel of the room, compiled once for each vector width.
 */

#include <infoplane/numerics.h>
#include <infoplane/rng.h>

enum { IP_PHILOX_BLOCKS = 16 }; /**< of four words, drawn together */

/** The words of blocks counter .. counter + 15 of a stream, as ip_stream_words gives them, word w of
 *  block b in the low half of word[w][b].  word: 64-byte aligned. */
typedef void ip_philox(const ip_stream *stream, uint64_t counter,
                       uint64_t word[4][IP_PHILOX_BLOCKS]);

extern ip_philox ip_philox_baseline, ip_philox_avx2, ip_philox_avx512;

/** The one of this machine. */
static inline ip_philox *ip_philox_best(void)
{
#ifndef IP_ONLY_BASELINE
  const ip_isa isa = ip_isa_best();

  if (isa == IP_ISA_AVX512) return ip_philox_avx512;
  if (isa == IP_ISA_AVX2) return ip_philox_avx2;
#endif
  return ip_philox_baseline;
}
