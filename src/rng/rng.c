/* Philox4x32-10: key = seed; counter = (counter, replicate, purpose).  Single words are those of
   Random123; where many are needed, the kernel gives the same.
   Source: Salmon, Moraes, Dror, Shaw, "Parallel random numbers: as easy as 1, 2, 3", SC11. */

#include "kernels.h"

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wpedantic"
#pragma GCC diagnostic ignored "-Wconversion"
#pragma GCC diagnostic ignored "-Wsign-conversion"
#include <Random123/philox.h>
#pragma GCC diagnostic pop

void ip_stream_words(const ip_stream *stream, uint64_t counter, uint32_t word[4])
{
  const philox4x32_key_t key = {
      {(uint32_t)stream->seed, (uint32_t)(stream->seed >> 32)}
  };
  const philox4x32_ctr_t block = {
      {(uint32_t)counter, (uint32_t)(counter >> 32), stream->replicate,
       (uint32_t)stream->purpose}
  };
  const philox4x32_ctr_t random = philox4x32(block, key);

  for (int i = 0; i < 4; i++) word[i] = random.v[i];
}

/* 53 bits in the middle of their cell: never 0, never 1. */
static double uniform_from(uint32_t high, uint32_t low)
{
  const uint64_t bits = ((uint64_t)high << 32 | low) >> 12;

  return ((double)bits + 0.5) * 0x1p-52;
}

double ip_stream_uniform(const ip_stream *stream, uint64_t counter)
{
  uint32_t word[4];

  ip_stream_words(stream, counter, word);
  return uniform_from(word[0], word[1]);
}

double ip_stream_truncated_normal(const ip_stream *stream, uint64_t counter)
{
  /* Uniform in [-2, 2], kept with probability exp(-z^2 / 2): 60 of 100 stay. After 256 refusals
     (once in 10^100) the last is taken. */
  double z = 0.0;

  for (uint64_t attempt = 0; attempt < 256; attempt++) {
    uint32_t word[4];

    ip_stream_words(stream, counter + (attempt << 56), word);
    z = 4.0 * uniform_from(word[0], word[1]) - 2.0;
    if (uniform_from(word[2], word[3]) < ip_exp(-0.5 * z * z)) break;
  }
  return z;
}

/* One word after the other. */
typedef struct {
  const ip_stream *stream;
  ip_philox *draw;
  uint64_t counter, word[4][IP_PHILOX_BLOCKS] __attribute__((aligned(64)));
  size_t left;
} source;

static uint32_t next_word(source *s)
{
  enum { WORDS = 4 * IP_PHILOX_BLOCKS };

  if (s->left == 0) {
    s->draw(s->stream, s->counter, s->word);
    s->counter += IP_PHILOX_BLOCKS;
    s->left = WORDS;
  }

  const size_t at = WORDS - s->left--;

  return (uint32_t)s->word[at % 4][at / 4];
}

/* Uniform in 0 .. bound-1 without bias. Source: Lemire, ACM TOMACS 29 (2019) 3. */
static uint32_t below(source *s, uint32_t bound)
{
  uint64_t product = (uint64_t)next_word(s) * bound;

  if ((uint32_t)product < bound) {
    const uint32_t threshold = -bound % bound;

    while ((uint32_t)product < threshold) product = (uint64_t)next_word(s) * bound;
  }
  return (uint32_t)(product >> 32);
}

void ip_stream_shuffle(const ip_stream *stream, uint64_t number, size_t n, uint32_t item[])
{
  source s = {.stream = stream, .draw = ip_philox_best(), .counter = number << 32};

  for (size_t i = n; i > 1; i--) {
    const uint32_t j = below(&s, (uint32_t)i), kept = item[i - 1];

    item[i - 1] = item[j];
    item[j] = kept;
  }
}

void ip_stream_permutation(const ip_stream *stream, uint64_t number, size_t n, uint32_t order[])
{
  for (size_t i = 0; i < n; i++) order[i] = (uint32_t)i;
  ip_stream_shuffle(stream, number, n, order);
}
