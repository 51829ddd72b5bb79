/* The exact generator against the published labels, its symmetries, and analytic information. */

#include "check.h"
#include "sha256.h"
#include <infoplane/dataset.h>
#include <stdlib.h>
#include <unistd.h>

enum { BITS = 12, PATTERNS = 4096 };

static size_t kind(const char *name)
{
  return (size_t)ip_names_find(ip_dataset_name, name);
}

static ip_dataset *load(ip_labels labels, double gamma)
{
  ip_dataset *data = NULL;

  OK(ip_dataset_load(
      &(ip_dataset_spec){.kind = kind("symmetric"), .labels = labels, .gamma = gamma}, &data));
  return data;
}

/* The sum itself, by the examples of FIPS 180-2, appendix B. */
static void sha256_is_right(void **state)
{
  static const char two[] = "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq";
  char hex[65];

  (void)state;
  sha256(3, (const unsigned char *)"abc", hex);
  assert_string_equal(hex, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  sha256(sizeof two - 1, (const unsigned char *)two, hex);
  assert_string_equal(hex, "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
}

/* Acceptance number 1. */
static void published_labels(void **state)
{
  ip_dataset *data = load(IP_LABELS_DETERMINISTIC, 0);
  unsigned char text[PATTERNS];
  int ones = 0, by_size[BITS + 1] = {0};
  char hex[65];

  (void)state;
  assert_int_equal(data->n, PATTERNS);
  assert_int_equal(data->d, BITS);
  assert_int_equal(data->k, 2);
  assert_null(data->p);
  for (int r = 0; r < PATTERNS; r++) {
    int size = 0;

    text[r] = (unsigned char)('0' + data->y[r]);
    for (int j = 0; j < BITS; j++) {
      const int bit = r >> (BITS - 1 - j) & 1; /* column 0: the highest */

      assert_true(data->x[r * BITS + j] == (float)bit);
      size += bit;
    }
    ones += data->y[r];
    by_size[size] += data->y[r];
  }
  assert_int_equal(ones, 2118);
  assert_int_equal(by_size[5], 60);
  assert_int_equal(by_size[6], 532);
  assert_int_equal(by_size[7], 732);
  sha256(PATTERNS, text, hex);
  assert_string_equal(hex, "8adbd792d6400d00410815b5a1f01b05b59f15fd41ace0db85c7772aa5cf4566");
  ip_dataset_destroy(&data);
  assert_null(data);
}

static int moved(const int to[BITS], int pattern)
{
  int image = 0;

  for (int i = 0; i < BITS; i++)
    if (pattern >> (BITS - 1 - i) & 1) image |= 1 << (BITS - 1 - to[i]);
  return image;
}

static int changed(const ip_dataset *data, const int to[BITS])
{
  int count = 0;

  for (int r = 0; r < PATTERNS; r++) count += data->y[r] != data->y[moved(to, r)];
  return count;
}

/* Acceptance number 2. */
static void symmetries(void **state)
{
  static const int turn[BITS] = {0, 3, 8, 10, 2, 11, 4, 6, 7, 9, 5, 1},
                   antipodal[BITS] = {9, 7, 5, 6, 10, 2, 3, 1, 11, 0, 4, 8},
                   third[BITS] = {1, 3, 10, 0, 8, 4, 9, 6, 5, 7, 11, 2};
  ip_dataset *data = load(IP_LABELS_DETERMINISTIC, 0);
  int shift[BITS];

  (void)state;
  assert_int_equal(changed(data, turn), 0);
  assert_int_equal(changed(data, antipodal), 0);
  assert_int_equal(changed(data, third), 0);
  for (int by = 1; by <= 6; by += 5) {
    for (int i = 0; i < BITS; i++) shift[i] = (i + by) % BITS;
    assert_int_equal(changed(data, shift), by == 6 ? 0 : 528);
  }
  ip_dataset_destroy(&data);
}

/* |S|^2 without coordinates: k + 2 sum over pairs of v_i.v_j, which is 1/sqrt 5 for neighbors,
   -1 for antipodes, -1/sqrt 5 else. */
static double f_by_pairs(int pattern)
{
  static const int antipode[BITS] = {9, 7, 5, 6, 10, 2, 3, 1, 11, 0, 4, 8},
                   upper[5] = {1, 3, 10, 5, 11}, lower[5] = {2, 8, 7, 6, 4};
  int near[BITS][BITS] = {{0}}, k = 0, opposite = 0, balance = 0;

  for (int i = 0; i < 5; i++) {
    const int u = upper[i], v = upper[(i + 1) % 5], l = lower[i], m = lower[(i + 1) % 5];

    near[0][u] = near[u][0] = near[u][v] = near[v][u] = 1;
    near[9][l] = near[l][9] = near[l][m] = near[m][l] = 1;
    near[u][l] = near[l][u] = near[v][l] = near[l][v] = 1;
  }
  for (int i = 0; i < BITS; i++) {
    if (!(pattern >> (BITS - 1 - i) & 1)) continue;
    k++;
    for (int j = 0; j < i; j++) {
      if (!(pattern >> (BITS - 1 - j) & 1)) continue;
      if (antipode[i] == j)
        opposite++;
      else
        balance += near[i][j] ? 1 : -1;
    }
  }
  return k + sqrt(fmax(0, k - 2 * opposite + 2 * balance / sqrt(5)));
}

static int ascending(const void *a, const void *b)
{
  const double x = *(const double *)a, y = *(const double *)b;

  return (x > y) - (x < y);
}

/* Groups of values that differ by less than 1e-9. */
static void check_groups(const double f[PATTERNS])
{
  double entropy = 12;
  int values = 0;

  for (int r = 0, start = 0; r < PATTERNS; r++) {
    const double count = r + 1 - start;

    if (r + 1 < PATTERNS && f[r + 1] - f[r] < 1e-9) continue;
    entropy -= count * log2(count) / PATTERNS;
    start = r + 1;
    values++;
  }
  assert_int_equal(values, 53);
  NEAR(entropy, 5.347023, 1e-6, "entropy of f");
}

/* Acceptance number 5: 53 values, 5.347023 bit; the threshold stands between 7.5628 and 7.7013. */
static void values_of_f(void **state)
{
  double f[PATTERNS], below = 0, above = 99;

  (void)state;
  for (int r = 0; r < PATTERNS; r++) {
    f[r] = ip_symmetric_f((uint32_t)r);
    if (f[r] < 7.632) below = fmax(below, f[r]);
    if (f[r] > 7.632) above = fmin(above, f[r]);
  }
  for (int r = 0; r < PATTERNS; r++) /* 1e-7: the root of what rounding leaves of 0 */
    NEAR(f[r], f_by_pairs(r), 1e-7, "f of pattern %d", r);
  NEAR(below, 7.5628, 5e-5, "value below the threshold");
  NEAR(above, 7.7013, 5e-5, "value above the threshold");
  qsort(f, PATTERNS, sizeof *f, ascending);
  check_groups(f);
}

static void entropies(void **state)
{
  ip_dataset *data = load(IP_LABELS_DETERMINISTIC, 0);
  ip_entropies h = {0};

  (void)state;
  OK(ip_dataset_entropies(data, data->y, 0, NULL, &h));
  NEAR(h.h_x, 12, 1e-12, "H(X)");
  NEAR(h.h_y, 0.999157120850, 1e-12, "H(Y)");
  NEAR(h.i_xy, h.h_y, 1e-14, "I(X;Y)");
  ip_dataset_destroy(&data);
}

/* Returns p(y=1|x). Both logarithms keep their digits where p is nearly 0 or 1. */
static double check_pattern(const ip_dataset *data, double gamma, int pattern)
{
  const double *p = data->p + 2 * (ptrdiff_t)pattern;
  const double log_odds = gamma * (f_by_pairs(pattern) - 7.63204);

  NEAR(p[0] + p[1], 1, 1e-15, "sum of p(y|x) of pattern %d", pattern);
  if (fabs(log_odds) < 700) /* beyond, p is below the smallest double */
    NEAR(log(p[1]) - log(p[0]), log_odds, 1e-9 * fabs(log_odds) + 1e-5, "pattern %d", pattern);
  assert_int_equal(data->y[pattern], p[1] > 0.5);
  return p[1];
}

/* Returns P(y=1). */
static double check_rule(double gamma, double i_xy, double tolerance)
{
  ip_dataset *data = load(IP_LABELS_STOCHASTIC, gamma);
  ip_entropies h = {0};
  double ones = 0;

  OK(ip_dataset_entropies(data, NULL, 0, NULL, &h));
  NEAR(h.i_xy, i_xy, tolerance, "I(X;Y) at gamma %g", gamma);
  for (int r = 0; r < PATTERNS; r++) ones += check_pattern(data, gamma, r) / PATTERNS;
  ip_dataset_destroy(&data);
  return ones;
}

/* Acceptance number 4, and P(y=1) at gamma 54.492. */
static void stochastic_rule(void **state)
{
  (void)state;
  NEAR(check_rule(54.492, 0.990000, 1e-6), 0.51644, 5e-6, "P(y=1)");
  check_rule(10, 0.8967, 5e-5);
  check_rule(100, 0.9985, 5e-5);
}

/* The authors' own file, bit for bit. */
static void equals_var_u(void **state)
{
  static const char path[] = IP_SOURCE "/../shared/data/var_u.mat";
  ip_dataset *theirs = NULL, *ours;

  (void)state;
  if (access(path, R_OK) != 0) {
    print_message("skipped: %s is not there\n", path);
    skip();
  }
  OK(ip_dataset_load(&(ip_dataset_spec){.kind = kind("mat"), .path = path}, &theirs));
  ours = load(IP_LABELS_DETERMINISTIC, 0);
  assert_int_equal(theirs->n, PATTERNS);
  assert_int_equal(theirs->d, BITS);
  assert_int_equal(theirs->k, 2);
  assert_memory_equal(theirs->x, ours->x, sizeof(float) * PATTERNS * BITS);
  assert_memory_equal(theirs->y, ours->y, sizeof(int32_t) * PATTERNS);
  ip_dataset_destroy(&theirs);
  ip_dataset_destroy(&ours);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(sha256_is_right), cmocka_unit_test(published_labels),
      cmocka_unit_test(symmetries),      cmocka_unit_test(values_of_f),
      cmocka_unit_test(entropies),       cmocka_unit_test(stochastic_rule),
      cmocka_unit_test(equals_var_u),
  };

  return RUN_TESTS(tests);
}
