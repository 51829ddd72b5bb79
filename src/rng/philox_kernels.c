/* Philox4x32-10, several blocks side by side: each lane of 64 bits is one block.  What stands in the
   upper halves of words is never read.
   Source: Salmon, Moraes, Dror, Shaw, "Parallel random numbers: as easy as 1, 2, 3", SC11. */

#include "kernels.h"
#include <infoplane/lanes.h>

enum { BLOCKS = IP_WIDTH / 2, ROUNDS = 10, SIDE_BY_SIDE = 2 };

typedef uint64_t lanes64 __attribute__((vector_size(8 * BLOCKS)));

/* Lower halves of a times lower halves of b. */
IP_INLINE lanes64 multiply(lanes64 a, lanes64 b)
{
#if defined __AVX512F__
  return (lanes64)_mm512_mul_epu32((__m512i)a, (__m512i)b);
#elif defined __AVX2__
  return (lanes64)_mm256_mul_epu32((__m256i)a, (__m256i)b);
#elif defined __SSE2__
  return (lanes64)__builtin_ia32_pmuludq128((ip_register_int)a, (ip_register_int)b);
#else
  return (a & UINT32_MAX) * (b & UINT32_MAX);
#endif
}

/* All rounds of a few vectors, whose multiplications wait for each other. */
IP_INLINE void encrypt(lanes64 c[SIDE_BY_SIDE][4], uint64_t seed)
{
  const lanes64 zero = {0}, first = 0xd2511f53U + zero, second = 0xcd9e8d57U + zero;
  uint32_t key[2] = {(uint32_t)seed, (uint32_t)(seed >> 32)};

  for (int round = 0; round < ROUNDS; round++, key[0] += 0x9e3779b9U, key[1] += 0xbb67ae85U) {
#pragma GCC unroll 2
    for (size_t v = 0; v < SIDE_BY_SIDE; v++) {
      const lanes64 a = multiply(c[v][0], first), b = multiply(c[v][2], second);

      c[v][0] = (b >> 32) ^ c[v][1] ^ (key[0] + zero);
      c[v][1] = b;
      c[v][2] = (a >> 32) ^ c[v][3] ^ (key[1] + zero);
      c[v][3] = a;
    }
  }
}

void IP_OF_WIDTH(ip_philox)(const ip_stream *stream, uint64_t counter,
                            uint64_t word[4][IP_PHILOX_BLOCKS])
{
  static const uint64_t ramp[8] __attribute__((aligned(64))) = {0, 1, 2, 3, 4, 5, 6, 7};
  const lanes64 zero = {0};
  lanes64 c[SIDE_BY_SIDE][4];

  for (size_t at = 0; at < IP_PHILOX_BLOCKS; at += (size_t)SIDE_BY_SIDE * BLOCKS) {
    for (size_t v = 0; v < SIDE_BY_SIDE; v++) {
      c[v][0] = counter + at + v * BLOCKS + *(const lanes64 *)(const void *)ramp;
      c[v][1] = c[v][0] >> 32;
      c[v][2] = stream->replicate + zero;
      c[v][3] = (uint32_t)stream->purpose + zero;
    }
    encrypt(c, stream->seed);
    for (size_t v = 0; v < SIDE_BY_SIDE; v++)
      for (size_t w = 0; w < 4; w++) *(lanes64 *)(void *)(word[w] + at + v * BLOCKS) = c[v][w];
  }
}
