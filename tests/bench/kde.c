/* Speed of KDE, layer by layer of a network that learns: all pairs, with a tolerance, and what the
   FMA units could do at most.

     bench_kde [looks=0,100,1000] [repeats=9]

   Times are of the thread: others may be at work on the machine.  A and B are timed in turns; printed are medians, and for the ratio the quartiles of the single
   turns.  The roofline counts (d + 8) / 2 clocks for 8 pairs where two multiply-adds of 8 floats take
   one: its clock is that of a loop of multiply-adds in the same turn. */

#include "timing.h"
#include "trained.h"
#include <cblas.h>

/* Sums over the layers of a look: of all pairs, with a tolerance, of the roofline. */
typedef struct {
  double all, pruned, roofline;
} total;

static PetscErrorCode time_layer(const ip_layer *layer, double variance, size_t repeats,
                                 ip_workspace *work, total *sum)
{
  const double issues = bench_kde_issues(layer->n, layer->d);
  double all[BENCH_MOST], pruned[BENCH_MOST], ratio[BENCH_MOST], bound[BENCH_MOST];
  ip_column column[2][2];
  ip_information out[2][2];

  PetscCall(bench_kde_columns(variance, 0.0, column[0]));
  PetscCall(bench_kde_columns(variance, 1e-6, column[1]));
  for (size_t r = 0; r < repeats; r++) {
    double at[3];

    bound[r] = issues * bench_probe();
    at[0] = bench_now();
    for (int side = 0; side < 2; side++) {
      PetscCall(ip_estimate(layer, 2, (const ip_column *[]){&column[side][0], &column[side][1]},
                            work, out[side]));
      at[side + 1] = bench_now();
    }
    all[r] = at[1] - at[0], pruned[r] = at[2] - at[1], ratio[r] = pruned[r] / all[r];
  }

  const double a = bench_quantile(repeats, all, 0.5), b = bench_quantile(repeats, pruned, 0.5),
               roofline = bench_quantile(repeats, bound, 0.5);

  printf("%3zu %8g %9.3f %9.3f %7.3f (%.3f-%.3f) %8.0f %% %9.1e %9.1e\n", layer->d, variance,
         1e3 * a, 1e3 * b, bench_quantile(repeats, ratio, 0.5),
         bench_quantile(repeats, ratio, 0.25), bench_quantile(repeats, ratio, 0.75),
         100.0 * roofline / a,
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
    double took[BENCH_MOST];

    layer.d = d[w];
    PetscCall(time_layer(&layer, (double)d[w] / 48.0, repeats, work, &sum));
    for (size_t r = 0; r < repeats; r++) {
      const double begun = bench_now();

      cblas_sgemm(CblasColMajor, CblasNoTrans, CblasTrans, N, N, (int)d[w], 1.0F, t, N, t, N,
                  0.0F, product, N);
      took[r] = bench_now() - begun;
    }
    printf("                  half an sgemm %.3f\n",
           500.0 * bench_quantile(repeats, took, 0.5));
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
  if (repeats > BENCH_MOST) repeats = BENCH_MOST;
  openblas_set_num_threads(1);
  if (bench(argc > 1 ? argv[1] : "0,100,1000", repeats) == PETSC_SUCCESS &&
      bench_wide(repeats) == PETSC_SUCCESS)
    return 0;
  fprintf(stderr, "%s\n", ip_error_message());
  return 1;
}
