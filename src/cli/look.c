/* Verbs that look at what is there: figures and page of a results file, the bottleneck curve of an input. */

#include "cli.h"
#include <errno.h>
#include <infoplane/view.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* ---- figures ---------------------------------------------------------------------------------------- */

/* What -o names, or the file's name with another ending, in the current folder: what is made of two files
   does not mix. */
static PetscErrorCode output_name(const arguments *a, const char *ending, ip_text *name)
{
  const char *slash = strrchr(a->operand, '/'), *base = slash ? slash + 1 : a->operand,
             *dot = strrchr(base, '.');
  const size_t length = dot && dot > base ? (size_t)(dot - base) : strlen(base);

  if (a->output) return ip_text_add(name, "%s", a->output);
  return ip_text_add(name, "%.*s%s", (int)length, base, ending);
}

static PetscErrorCode draw(const arguments *a, FILE *say)
{
  static const char only[] = "columns=";
  const char *columns = NULL;
  ip_text folder = {0};

  IP_CHECK(a->operand, IP_ERR_USAGE,
           "figures needs a results file: infoplane figures FILE.h5 [columns=all] [-o FOLDER]");
  for (size_t i = 0; i < a->n_settings; i++) {
    IP_CHECK(strncmp(a->setting[i], only, sizeof only - 1) == 0, IP_ERR_USAGE,
             "figures knows the setting columns=all or columns=NAME,NAME alone, not \"%s\"",
             a->setting[i]);
    columns = a->setting[i] + sizeof only - 1;
  }
  PetscCall(ip_results_probe(a->operand));
  PetscCall(output_name(a, "_figures", &folder));
  PetscErrorCode code = ip_view_figures(a->operand, folder.text, columns, say);

  if (!code) code = ip_view_claims(a->operand, folder.text, say);
  ip_text_clear(&folder);
  return code;
}

static PetscErrorCode make_page(const arguments *a, FILE *say)
{
  ip_text page = {0};

  IP_CHECK(a->operand && a->n_settings == 0, IP_ERR_USAGE,
           "report needs a results file: infoplane report FILE.h5 [-o PAGE.html]");
  PetscCall(ip_results_probe(a->operand));
  PetscCall(output_name(a, ".html", &page));
  const PetscErrorCode code = ip_view_report(a->operand, page.text, say);

  ip_text_clear(&page);
  return code;
}

/* On one rank, whatever the launcher. */
static int show(const arguments *a, PetscErrorCode (*make)(const arguments *a, FILE *say))
{
  int rank, size;

  launcher_place(&rank, &size);
  if (rank != 0) return 0;
  setenv("HDF5_USE_FILE_LOCKING", "FALSE", 1);

  FILE *say = a->quiet ? fopen("/dev/null", "we") : stdout;
  const PetscErrorCode code = make(a, say ? say : stdout);

  if (say && say != stdout) fclose(say);
  return code == PETSC_SUCCESS ? 0 : report_error(a, code);
}

int verb_figures(const arguments *a)
{
  return show(a, draw);
}

int verb_report(const arguments *a)
{
  return show(a, make_page);
}

/* ---- bound -------------------------------------------------------------------------------------------- */

/* The curve of one data set, and how hard it was to find. */
typedef struct {
  const char *label;
  double information, critical; /* I(X;Y), bit; first critical beta */
  size_t groups;                /* distinct inputs */
  size_t n;
  ip_bound_point *point, *plain; /* shape (n): by SNES, by plain iteration */
} bound;

static PetscErrorCode solve(const input *in, size_t i, bound *b)
{
  double *weight = NULL, *p = NULL, *beta = NULL;

  while (ip_bottleneck_beta(b->n) > 0.0) b->n++;
  PetscCall(IP_ALLOCATE(b->n, &b->point));
  PetscCall(IP_ALLOCATE(b->n, &b->plain));
  PetscCall(IP_ALLOCATE(b->n, &beta));
  for (size_t j = 0; j < b->n; j++) beta[j] = ip_bottleneck_beta(j);

  PetscErrorCode code =
      ip_dataset_joint(&in->data->spec[i], in->data->set[i], &b->groups, &weight, &p);
  const ip_joint joint = {.n = b->groups, .k = in->data->set[i]->k, .weight = weight, .p = p};

  if (!code) code = ip_bottleneck_critical(&joint, &b->critical);
  if (!code) code = ip_bottleneck_curve(&joint, IP_BOTTLENECK_SNES, b->n, beta, b->point);
  if (!code) code = ip_bottleneck_curve(&joint, IP_BOTTLENECK_PLAIN, b->n, beta, b->plain);
  if (!code) b->information = ip_joint_information(&joint);
  ip_release(&weight);
  ip_release(&p);
  ip_release(&beta);
  return code;
}

static void print_bound(const bound *b)
{
  int64_t snes = 0, plain = 0;

  printf("%s: %zu distinct inputs, I(X;Y) = %.6f bit, first critical beta %.6f\n", b->label,
         b->groups, b->information, b->critical);
  puts("       beta    I(X;T)    I(T;Y)  bit   iterations: SNES, plain   residual");
  for (size_t i = 0; i < b->n; i++) {
    printf(" %10.4f  %8.5f  %8.5f   %17" PRId64 " %8" PRId64 "   %.0e%s\n", b->point[i].beta,
           b->point[i].i_xt, b->point[i].i_ty, b->point[i].iterations, b->plain[i].iterations,
           b->point[i].residual, b->point[i].converged ? "" : "  did not converge");
    snes += b->point[i].iterations;
    plain += b->plain[i].iterations;
  }
  printf(" %" PRId64 " iterations by SNES, %" PRId64 " by plain iteration\n", snes, plain);
}

static PetscErrorCode write_bound(const bound *b, FILE *to)
{
  for (size_t i = 0; i < b->n; i++)
    fprintf(to, "\"%s\",%.9g,%.9g,%.9g,%" PRId64 ",%.3g,%d\n", b->label, b->point[i].beta,
            b->point[i].i_xt, b->point[i].i_ty, b->point[i].iterations, b->point[i].residual,
            b->point[i].converged);
  return PETSC_SUCCESS;
}

static PetscErrorCode bound_of(const input *in, size_t i, FILE *to)
{
  bound b = {.label = in->data->label[i]};

  if (!in->data->set[i]->p) {
    printf("%s: labels are certain, so the curve is the line I(T;Y) = I(X;T) up to H(Y), of "
           "slope 1 everywhere; a beta means nothing there. dataset.labels=stochastic has "
           "one\n",
           b.label);
    return PETSC_SUCCESS;
  }

  PetscErrorCode code = solve(in, i, &b);

  if (!code) print_bound(&b);
  if (!code && to) code = write_bound(&b, to);
  ip_release(&b.point);
  ip_release(&b.plain);
  return code;
}

static PetscErrorCode bound_all(const arguments *a, const input *in)
{
  FILE *to = a->output ? fopen(a->output, "wxe") : NULL;
  const size_t n = in->data ? in->data->n : 0;
  PetscErrorCode code = PETSC_SUCCESS;

  IP_CHECK(!a->output || to, IP_ERR_CREATE,
           "%s: cannot be created; a file that stands is not "
           "overwritten",
           a->output);
  if (to) fputs("data,beta,i_xt,i_ty,iterations,residual,converged\n", to);
  for (size_t i = 0; i < n && !code; i++) code = bound_of(in, i, to);
  if (to && (ferror(to) | fclose(to)) && !code)
    code = ip_error_raise(IP_ERR_IO, __func__, "%s: cannot be written: %s", a->output,
                          strerror(errno));
  if (to && code) unlink(a->output); /* half a table is none */
  return code;
}

int verb_bound(const arguments *a)
{
  input in = {0};
  launch l = {0};
  int rank, size;
  PetscErrorCode code = PETSC_SUCCESS;

  launcher_place(&rank, &size);
  if (rank == 0) code = input_read(a, &in);
  if (rank == 0 && !code) code = input_plan(&in);
  if (!code || size > 1) {
    const PetscErrorCode read = code;

    code = launch_begin(a, &l);
    if (!code) code = launch_agree(&l, read);
  }
  l.together = true; /* only rank 0 works */
  if (!code && l.rank == 0) code = bound_all(a, &in);
  input_clear(&in);
  return launch_end(&l, a, code, 0);
}
