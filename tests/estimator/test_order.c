/* What is near what: distances along the principal axes are those of the layer, samples stand in k-d
   order, and every vector width puts them alike. */

#include "check.h"
#include "kde.h"
#include <infoplane/rng.h>

enum { MOST = 70000, KEYS = 800, SPREAD = 43261, ROW_FLOATS = MOST * IP_KDE_ORDERED + 16 };

/* Numbers in [-1, 1] of a test stream. */
static float some_number(size_t i)
{
  const ip_stream s = {.seed = 5, .replicate = 1, .purpose = IP_PURPOSE_TEST};

  return (float)(2.0 * ip_stream_uniform(&s, i) - 1.0);
}

static float rows[2][ROW_FLOATS];

/* Distances of all pairs are what they were, by the error that is stated. */
static void check_distances(const ip_layer *layer, double scale, const ip_kde_axes *axes)
{
  for (size_t i = 0; i < layer->n; i++)
    for (size_t j = 0; j < i; j++) {
      double want = 0.0, have = 0.0;

      for (size_t u = 0; u < layer->d; u++) {
        const float *t = layer->t + u * layer->stride;

        want += scale * scale * pow((double)t[i] - (double)t[j], 2.0);
        have +=
            pow((double)axes->row[i * axes->width + u] - (double)axes->row[j * axes->width + u],
                2.0);
      }
      NEAR(sqrt(have), sqrt(want), 2.0 * (double)axes->error, "%zu units, samples %zu, %zu",
           layer->d, i, j);
    }
}

static void axes_keep_distances(void **state)
{
  const size_t d[] = {1, 2, 3, 4, 5, 8, 9, 16, 17, 31, 32};
  enum { N = 39, STRIDE = 48 };
  static float t[IP_KDE_ORDERED * STRIDE];

  (void)state;
  for (size_t c = 0; c < sizeof d / sizeof *d; c++) {
    ip_layer layer = {.n = N, .d = d[c], .stride = STRIDE, .t = t};

    for (size_t u = 0; u < layer.d; u++) /* units depend on each other */
      for (size_t i = 0; i < N; i++)
        t[u * STRIDE + i] = 0.25F * some_number(u * N + i) + (u ? 0.5F * t[i] : 0.0F);
    for (int isa = 0; isa < IP_ISAS; isa++) {
      ip_kde_axes axes = {.row = rows[isa > 0]};

      setenv("INFOPLANE_ISA", ip_isa_name((size_t)isa), 1);
      ip_kde_turn(&layer, 2.0, &axes);
      check_distances(&layer, 2.0, &axes);
      assert_int_equal(axes.width, ip_kde_width(layer.d));
      assert_memory_equal(rows[isa > 0], rows[0], N * axes.width * sizeof(float));
      for (size_t a = layer.d; a < axes.width; a++) assert_true(axes.row[a] == 0.0F);
    }
  }
  unsetenv("INFOPLANE_ISA");
}

static float coordinate(const ip_kde_axes *axes, uint64_t key, size_t a)
{
  return axes->row[(key & UINT32_MAX) * axes->width + a];
}

/* Largest less smallest coordinate. */
static float range_of(const ip_kde_axes *axes, size_t n, const uint64_t key[], size_t a)
{
  float low = INFINITY, high = -INFINITY;

  for (size_t i = 0; i < n; i++) {
    low = fminf(low, coordinate(axes, key[i], a));
    high = fmaxf(high, coordinate(axes, key[i], a));
  }
  return high - low;
}

/* Whether an axis parts the first `left` of n samples from the others: of few samples, one of widest
   range; of many, the range of some of them is looked at. */
static bool is_cut(const ip_kde_axes *axes, size_t n, const uint64_t key[], size_t left)
{
  float widest = 0.0F;

  for (size_t a = 0; a < axes->m; a++) widest = fmaxf(widest, range_of(axes, n, key, a));
  for (size_t a = 0; a < axes->m; a++) {
    float low = -INFINITY, high = INFINITY;

    for (size_t i = 0; i < left; i++) low = fmaxf(low, coordinate(axes, key[i], a));
    for (size_t i = left; i < n; i++) high = fminf(high, coordinate(axes, key[i], a));
    if (low <= high && (n >= 32 || range_of(axes, n, key, a) >= widest)) return true;
  }
  return false;
}

/* Cut into whole blocks, leaves or strips, about half of them on each side. */
static void check_order(const ip_kde_axes *axes, size_t n, const uint64_t key[])
{
  const size_t whole = n > IP_KDE_BLOCK ? IP_KDE_BLOCK
                       : n > 16         ? 16
                                        : IP_KDE_STRIP,
               left = (n / 2 + whole - 1) / whole * whole;

  if (n <= IP_KDE_STRIP) return;
  if (!is_cut(axes, n, key, left)) fail_msg("%zu samples are not cut at %zu", n, left);
  check_order(axes, left, key);
  check_order(axes, n - left, key + left);
}

/* Rows of different numbers; of few numbers, -0 and 0 among them; all equal. */
static void fill_rows(int what, const ip_kde_axes *axes)
{
  for (size_t i = 0; i < axes->n * axes->width; i++) {
    const float x = some_number(i);

    axes->row[i] = what == 0 ? x : what == 1 ? 0.5F * truncf(3.0F * x) : 0.25F;
  }
}

static void order_is_k_d(void **state)
{
  const size_t m[] = {1, 4, 5, 8, 15, 16, 17, 31, 32, 33, 63, 100, 256, 257, 511, 700};
  const size_t d[] = {1, 3, 7, 10, 32};
  static uint64_t key[2][KEYS], room[KEYS + 8];

  (void)state;
  for (int what = 0; what < 3; what++)
    for (size_t c = 0; c < sizeof d / sizeof *d; c++) {
      const ip_kde_axes axes = {
          .n = MOST, .m = d[c], .width = ip_kde_width(d[c]), .row = rows[0]};

      fill_rows(what, &axes);
      for (size_t k = 0; k < sizeof m / sizeof *m; k++)
        for (int isa = 0; isa < IP_ISAS; isa++) {
          uint64_t *mine = key[isa > 0];
          static bool seen[MOST];

          memset(seen, 0, sizeof seen);

          for (size_t i = 0; i < m[k]; i++) mine[i] = i * SPREAD % MOST; /* not in order */
          mine[m[k]] = 12345;
          setenv("INFOPLANE_ISA", ip_isa_name((size_t)isa), 1);
          ip_kde_order_kernels_best()->order(&axes, m[k], mine, room);
          assert_int_equal(mine[m[k]], 12345);
          for (size_t i = 0; i < m[k]; i++) seen[mine[i] & UINT32_MAX] = true;
          for (size_t i = 0; i < m[k]; i++) assert_true(seen[i * SPREAD % MOST]);
          check_order(&axes, m[k], mine);
          assert_memory_equal(mine, key[0], m[k] * sizeof *mine);
        }
    }
  unsetenv("INFOPLANE_ISA");
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(axes_keep_distances),
      cmocka_unit_test(order_is_k_d),
  };

  return RUN_TESTS(tests);
}
