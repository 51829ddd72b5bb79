/* Speed of KDE, layer by layer of a network that learns: all pairs, with a tolerance, and what the
   FMA units could do at most.

     bench_kde [looks=0,100,1000] [repeats=9]

   Times are of the thread: others may be at work on the machine.  A and B are timed in turns; printed are medians, and for the ratio the quartiles of the single
   turns.  The roofline counts (d + 8) / 2 clocks for 8 pairs where two multiply-adds of 8 floats take
   one: its clock is that of a loop of multiply-adds in the same turn. */

#include "trained.h"
#include <cblas.h>
#include <infoplane/numerics.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#if defined __x86_64__
#include <immintrin.h>
#endif

enum { MOST = 101 };

static double now(void)
{
  struct timespec t;

  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
  return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

#if defined __x86_64__
/* Seconds of one multiply-add of eight floats. */
__attribute__((target("avx2,fma"))) static double probe(void)
{
  enum { LOOPS = 40000, CHAINS = 10 };
  const __m256 b = _mm256_set1_ps(0.999F), c = _mm256_set1_ps(1e-3F);
  __m256 a[CHAINS];
  float sum = 0.0F;

  for (int k = 0; k < CHAINS; k++) a[k] = _mm256_set1_ps((float)(k + 1));

  const double begun = now();

  for (int i = 0; i < LOOPS; i++) {
#pragma GCC unroll 10
    for (int k = 0; k < CHAINS; k++) a[k] = _mm256_fmadd_ps(a[k], b, c);
  }
  const double took = now() - begun;

  for (int k = 0; k < CHAINS; k++) sum += _mm256_cvtss_f32(a[k]);
  if (sum == 12345.0F) puts("");
  return took / LOOPS / CHAINS;
}
#else
static double probe(void)
{
  return (double)NAN;
}
#endif

static int ascending(const void *a, const void *b)
{
  const double x = *(const double *)a, y = *(const double *)b;

  return (x > y) - (x < y);
}

static double quantile(size_t n, const double value[], double q)
{
  double sorted[MOST];

  memcpy(sorted, value, n * sizeof *value);
  qsort(sorted, n, sizeof *sorted, ascending);
  return sorted[(size_t)(q * (double)(n - 1) + 0.5)];
}

static PetscErrorCode columns_of(double variance, double tolerance, ip_column column[2])
{
  for (int bound = 0; bound < 2; bound++) {
    const ip_estimator *kde = ip_estimator_row((size_t)ip_names_find(ip_estimator_name, "kde"));

    PetscCall(ip_column_default(kde, &column[bound]));
    for (size_t p = 0; kde->parameter[p].key; p++) {
      if (!strcmp(kde->parameter[p].key, "noise_variance"))
        column[bound].value[p].real = variance;
      if (!strcmp(kde->parameter[p].key, "kde_tolerance"))
        column[bound].value[p].real = tolerance;
      if (!strcmp(kde->parameter[p].key, "bound")) column[bound].value[p].word = bound;
    }
  }
  return PETSC_SUCCESS;
}

/* Sums over the layers of a look: of all pairs, with a tolerance, of the roofline. */
typedef struct {
  double all, pruned, roofline;
} total;

static PetscErrorCode time_layer(const ip_layer *layer, double variance, size_t repeats,
                                 ip_workspace *work, total *sum)
{
  const double n = (double)layer->n, issues = n * (n + 1.0) / 16.0 * ((double)layer->d + 8.0);
  double all[MOST], pruned[MOST], ratio[MOST], bound[MOST];
  ip_column column[2][2];
  ip_information out[2][2];

  PetscCall(columns_of(variance, 0.0, column[0]));
  PetscCall(columns_of(variance, 1e-6, column[1]));
  for (size_t r = 0; r < repeats; r++) {
    double at[3];

    bound[r] = issues * probe();
    at[0] = now();
    for (int side = 0; side < 2; side++) {
      PetscCall(ip_estimate(layer, 2, (const ip_column *[]){&column[side][0], &column[side][1]},
                            work, out[side]));
      at[side + 1] = now();
    }
    all[r] = at[1] - at[0], pruned[r] = at[2] - at[1], ratio[r] = pruned[r] / all[r];
  }

  const double a = quantile(repeats, all, 0.5), b = quantile(repeats, pruned, 0.5),
               roofline = quantile(repeats, bound, 0.5);

  printf("%3zu %8g %9.3f %9.3f %7.3f (%.3f-%.3f) %8.0f %% %9.1e %9.1e\n", layer->d, variance,
         1e3 * a, 1e3 * b, quantile(repeats, ratio, 0.5), quantile(repeats, ratio, 0.25),
         quantile(repeats, ratio, 0.75), 100.0 * roofline / a,
         fmax(fabs(out[0][0].i_xt - out[1][0].i_xt), fabs(out[0][1].i_xt - out[1][1].i_xt)),
         (double)out[1][1].error_bound);
  sum->all += a, sum->pruned += b, sum->roofline += roofline;
  return PETSC_SUCCESS;
}

static PetscErrorCode bench(const char *looks, size_t repeats)
{
  static const int32_t width[7] = {12, 10, 7, 5, 4, 3, 2};
  trained t;
  ip_workspace *work = NULL;

  PetscCall(trained_new(6, width, "tanh", IP_OUTPUT_SOFTMAX, 0, &t));
  PetscCall(ip_workspace_create(&work));
  for (const char *at = looks; *at;) {
    char *end;
    const uint64_t epoch = strtoull(at, &end, 10);

    if (end == at) break;
    at = *end ? end + 1 : end;
    PetscCall(trained_look(&t, epoch));
    for (int v = 0; v < 2; v++) {
      total sum = {0};

      printf(
          "\nepoch %llu, ms\n  d    noise all pairs tolerance   ratio (quartiles) of roofline "
          "difference certified\n",
          (unsigned long long)epoch);
      for (size_t l = 1; l <= 6; l++) {
        const ip_layer layer = trained_layer(&t, l);

        PetscCall(time_layer(&layer, v == 0 ? 1e-3 : 1e-1, repeats, work, &sum));
      }
      printf("sum          %9.3f %9.3f %7.3f                 %8.0f %%\n", 1e3 * sum.all,
             1e3 * sum.pruned, sum.pruned / sum.all, 100.0 * sum.roofline / sum.all);
    }
  }
  ip_workspace_destroy(&work);
  trained_free(&t);
  return PETSC_SUCCESS;
}

/* Wide layers of normal numbers, whose pairs are all about as far; and what single-threaded sgemm
   takes for the same scalar products, half of them. */
static PetscErrorCode bench_wide(size_t repeats)
{
  enum { N = 2048, MOST_D = 1024 };
  static const size_t d[] = {32, 64, 256, MOST_D};
  ip_layer layer = {
      .n = N, .stride = N, .k = 1, .run_low = (double)NAN, .run_high = (double)NAN};
  ip_workspace *work = NULL;
  float *t = NULL, *product = NULL;
  int32_t *y = NULL;
  total sum = {0};

  PetscCall(IP_ALLOCATE((size_t)N * MOST_D, &t));
  PetscCall(IP_ALLOCATE((size_t)N * N, &product));
  PetscCall(IP_ALLOCATE(N, &y));
  PetscCall(ip_workspace_create(&work));
  for (size_t i = 0; i < (size_t)N * MOST_D; i++)
    t[i] = (float)((double)(i * 0x9e3779b97f4a7c15U >> 40) / 0x1p24 - 0.5);
  layer.t = t, layer.y = y;
  printf("\nwide layers, %d samples, ms\n", (int)N);
  for (size_t w = 0; w < sizeof d / sizeof d[0]; w++) {
    double took[MOST];

    layer.d = d[w];
    PetscCall(time_layer(&layer, (double)d[w] / 48.0, repeats, work, &sum));
    for (size_t r = 0; r < repeats; r++) {
      const double begun = now();

      cblas_sgemm(CblasColMajor, CblasNoTrans, CblasTrans, N, N, (int)d[w], 1.0F, t, N, t, N,
                  0.0F, product, N);
      took[r] = now() - begun;
    }
    printf("                  half an sgemm %.3f\n", 500.0 * quantile(repeats, took, 0.5));
  }
  ip_workspace_destroy(&work);
  ip_release(&t);
  ip_release(&product);
  ip_release(&y);
  return PETSC_SUCCESS;
}

int main(int argc, char **argv)
{
  size_t repeats = argc > 2 ? (size_t)strtoul(argv[2], NULL, 10) : 9;

  if (repeats < 1) repeats = 1;
  if (repeats > MOST) repeats = MOST;
  openblas_set_num_threads(1);
  if (bench(argc > 1 ? argv[1] : "0,100,1000", repeats) == PETSC_SUCCESS &&
      bench_wide(repeats) == PETSC_SUCCESS)
    return 0;
  fprintf(stderr, "%s\n", ip_error_message());
  return 1;
}
