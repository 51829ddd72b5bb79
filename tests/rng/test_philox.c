/* Random streams: the published vectors of Philox, the moments of what is drawn, permutations. */

#include "check.h"
#include <infoplane/numerics.h>
#include <infoplane/rng.h>
#include <stdlib.h>

/* Known answers of Random123's own kat_vectors (philox4x32 10) reached through our key layout:
   counter words 0, 1 = counter, 2 = replicate, 3 = purpose; key = seed. */
static void published_vectors(void **state)
{
  uint32_t word[4];

  (void)state;
  ip_stream_words(&(ip_stream){.seed = 0, .replicate = 0, .purpose = (ip_purpose)0}, 0, word);
  assert_int_equal(word[0], 0x6627e8d5);
  assert_int_equal(word[1], 0xe169c58d);
  assert_int_equal(word[2], 0xbc57ac4c);
  assert_int_equal(word[3], 0x9b00dbd8);
}

static void truncated_normal_moments(void **state)
{
  const ip_stream s = {.seed = 7, .replicate = 3, .purpose = IP_PURPOSE_TEST};
  enum { DRAWS = 200000 };
  double sum = 0, squares = 0, largest = 0;

  (void)state;
  for (uint64_t i = 0; i < DRAWS; i++) {
    const double z = ip_stream_truncated_normal(&s, i);

    sum += z, squares += z * z;
    largest = fmax(largest, fabs(z));
  }
  NEAR(sum / DRAWS, 0, 0.01, "mean");
  /* 1 - 4 phi(2) / (2 Phi(2) - 1) = 0.7737413, by the formula of the truncated normal */
  NEAR(squares / DRAWS, 0.7737413, 0.01, "variance");
  assert_true(largest <= 2.0 && largest > 1.99);
}

static void streams_are_apart(void **state)
{
  const ip_stream a = {.seed = 1, .replicate = 0, .purpose = IP_PURPOSE_TEST};
  ip_stream other[3] = {a, a, a};

  (void)state;
  other[0].seed = 1ULL << 32 | 1U;
  other[1].replicate = 1;
  other[2].purpose = IP_PURPOSE_LABEL;
  for (int i = 0; i < 3; i++)
    assert_true(ip_stream_uniform(&a, 5) != ip_stream_uniform(&other[i], 5));
  assert_true(ip_stream_uniform(&a, 5) != ip_stream_uniform(&a, 6));
}

/* Every element at every place equally often: chi-square of 6 x 6 cells with 25 degrees. */
static void permutations_are_uniform(void **state)
{
  const ip_stream s = {.seed = 1, .replicate = 0, .purpose = IP_PURPOSE_TEST};
  enum { N = 6, DRAWS = 36000 };
  uint32_t order[N], count[N][N] = {{0}};
  double chi = 0;

  (void)state;
  for (uint64_t r = 0; r < DRAWS; r++) {
    uint32_t seen = 0;

    ip_stream_permutation(&s, r, N, order);
    for (int i = 0; i < N; i++) count[i][order[i]]++, seen |= 1U << order[i];
    assert_int_equal(seen, (1U << N) - 1);
  }
  for (int i = 0; i < N; i++)
    for (int j = 0; j < N; j++) {
      const double expected = DRAWS / (double)N, e = count[i][j] - expected;

      chi += e * e / expected;
    }
  assert_true(chi < 60); /* 99.99 % point of chi-square with 25 degrees of freedom: 58.6 */
}

enum { N = 1000 };

/* By the textbook: word after word from the first counter on, where a word without bias is found. */
static void shuffle_slowly(const ip_stream *s, uint64_t number, uint32_t item[N])
{
  uint64_t drawn = 0;

  for (uint32_t i = N; i > 1; i--) {
    uint32_t word[4], at, kept;

    do {
      ip_stream_words(s, (number << 32) + drawn / 4, word);
      at = (uint32_t)(drawn++ % 4);
    } while (word[at] * i < -i % i);
    at = (uint32_t)((uint64_t)word[at] * i >> 32);
    kept = item[i - 1];
    item[i - 1] = item[at];
    item[at] = kept;
  }
}

/* Of items that are no numbers of places, in every vector width. */
static void a_shuffle_takes_word_after_word(void **state)
{
  const ip_stream s = {
      .seed = 0x123456789abcdefU, .replicate = UINT32_MAX, .purpose = IP_PURPOSE_TEST};
  uint32_t want[N], item[N];

  (void)state;
  for (uint32_t i = 0; i < N; i++) want[i] = 3 * i + 7;
  shuffle_slowly(&s, INT32_MAX, want);
  for (size_t isa = 0; ip_isa_name(isa); isa++) {
    setenv("INFOPLANE_ISA", ip_isa_name(isa), 1);
    for (uint32_t i = 0; i < N; i++) item[i] = 3 * i + 7;
    ip_stream_shuffle(&s, INT32_MAX, N, item);
    assert_memory_equal(item, want, sizeof item);
  }
  unsetenv("INFOPLANE_ISA");
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(published_vectors),
      cmocka_unit_test(truncated_normal_moments),
      cmocka_unit_test(streams_are_apart),
      cmocka_unit_test(permutations_are_uniform),
      cmocka_unit_test(a_shuffle_takes_word_after_word),
  };

  return RUN_TESTS(tests);
}
