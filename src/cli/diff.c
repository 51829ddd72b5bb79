/* infoplane diff: two results files, and an exit code that says whether they are the same. */

#include "cli.h"
#include <math.h>
#include <stdlib.h>

static size_t count_words(const char *text)
{
  size_t n = text && *text;

  for (const char *c = text; c && *c; c++) n += (size_t)(*c == ' ');
  return n;
}

/* " 3 runs differ: 1 4 7", the first few of them. */
static void say_runs(const ip_text *list, const char *what, const char *path)
{
  enum { MOST = 20 };
  const size_t n = count_words(list->text);
  size_t shown = 0;
  const char *c = list->text;

  if (n == 0) return;
  printf(" %zu run%s %s%s: ", n, n == 1 ? "" : "s", what, path);
  for (; *c && (*c != ' ' || ++shown < MOST); c++) putchar(*c);
  puts(*c ? " ..." : "");
}

static void say_fields(const ip_difference *d)
{
  for (size_t f = 0; f < IP_FIELDS; f++) {
    const ip_field_difference *x = &d->field[f];
    char first[32], second[32];

    if (x->runs == 0) continue;
    ip_real_format(x->a, first);
    ip_real_format(x->b, second);
    printf("  %-24s in %zu run%s, first in run %d%s%s: %s and %s; ", ip_field_row(f)->name,
           x->runs, x->runs == 1 ? "" : "s", (int)x->run, x->where[0] ? ", " : "", x->where,
           first, second);
    if (isinf(x->largest))
      puts("a number in one of them alone");
    else
      printf("largest difference %.6g %s\n", x->largest, ip_field_row(f)->unit);
  }
}

static void say(const arguments *a, const ip_difference *d)
{
  const char *first = a->operand, *second = a->more[0];

  if (d->config.length > 0)
    printf("the configurations differ (the file: %s, the input: %s):\n%s", first, second,
           d->config.text);
  else
    puts("same configuration");
  if (d->curves) puts(" the bottleneck curves of their data differ");
  say_runs(&d->only[0], "only in ", first);
  say_runs(&d->only[1], "only in ", second);
  say_runs(&d->status, "finished in one alone, or with another end", "");
  say_runs(&d->damaged[0], "damaged in ", first);
  say_runs(&d->damaged[1], "damaged in ", second);
  say_runs(&d->runs, "with other numbers", "");
  say_fields(d);
  printf("%zu run%s finished in both, %zu equal to the last bit%s\n", d->compared,
         d->compared == 1 ? "" : "s", d->compared - count_words(d->runs.text),
         d->config.length > 0 ? " in what both measured" : "");
  if (d->pending > 0)
    printf("%zu run%s finished in neither\n", d->pending, d->pending == 1 ? "" : "s");
}

static PetscErrorCode compare(const arguments *a, int *exit_code)
{
  ip_difference d = {0};

  IP_CHECK(a->operand && a->n_more == 1 && a->n_settings == 0 && !a->output, IP_ERR_USAGE,
           "diff needs two results files and nothing else: infoplane diff A.h5 B.h5");
  PetscCall(ip_results_probe(a->operand));
  PetscCall(ip_results_probe(a->more[0]));
  PetscCall(ip_store_diff(a->operand, a->more[0], &d));
  const bool damaged = d.damaged[0].length + d.damaged[1].length > 0;

  if (!a->quiet) say(a, &d);
  *exit_code = damaged ? ip_error_exit_code(IP_ERR_DATA) : !ip_difference_none(&d);
  ip_difference_clear(&d);
  return PETSC_SUCCESS;
}

int verb_diff(const arguments *a)
{
  int rank, size, exit_code = 0;

  launcher_place(&rank, &size);
  if (rank != 0) return 0;
  setenv("HDF5_USE_FILE_LOCKING", "FALSE", 1);

  const PetscErrorCode code = compare(a, &exit_code);

  return code == PETSC_SUCCESS ? exit_code : report_error(a, code);
}
