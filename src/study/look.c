/* Epochs at which layers are measured; epoch e = after e complete passes, 0 = untrained.

     saxe   every epoch below 20, every 5th below 100, every 20th below 2000, every 100th after
            (Saxe et al. notebook; 212 epochs up to 10,000)
     idnns  400 spaced evenly in log2 from 1 to the last epoch, rounded down, duplicates dropped,
            less 1, since that code counts passes from 0 and looks before each
            (github.com/ravidziv/IDNNs: 279 distinct up to 10,000)
     log    20 per decade, rounded

   0 and the last epoch are always among them. */

#include <infoplane/numerics.h>
#include <infoplane/study.h>
#include <stdlib.h>

enum { IDNNS_POINTS = 400, PER_DECADE = 20 };

static bool saxe_looks(int32_t epoch)
{
  if (epoch < 20) return true;
  if (epoch < 100) return epoch % 5 == 0;
  if (epoch < 2000) return epoch % 20 == 0;
  return epoch % 100 == 0;
}

/* A power that should be a whole number must not fall just below it. */
static int32_t whole_part(double x)
{
  return (int32_t)(x * (1.0 + 1e-12));
}

static size_t mark_saxe(int32_t last, int32_t epoch[])
{
  size_t n = 0;

  for (int32_t e = 0; e <= last; e++)
    if (saxe_looks(e)) epoch[n++] = e;
  return n;
}

static size_t mark_idnns(int32_t last, int32_t epoch[])
{
  const double range = last > 1 ? ip_log((double)last) : 0.0;
  size_t n = 0;

  for (int i = 0; i < IDNNS_POINTS; i++)
    epoch[n++] = whole_part(ip_exp(range * (double)i / (IDNNS_POINTS - 1))) - 1;
  return n;
}

static size_t mark_log(int32_t last, int32_t epoch[])
{
  const double ln10 = ip_log(10.0);
  size_t n = 0;
  double e;

  for (int i = 0; (e = ip_exp(ln10 * i / PER_DECADE)) <= (double)last; i++)
    epoch[n++] = whole_part(e + 0.5);
  return n;
}

static int ascending(const void *a, const void *b)
{
  const int32_t x = *(const int32_t *)a, y = *(const int32_t *)b;

  return (x > y) - (x < y);
}

/* Sort, drop duplicates and what lies beyond the last epoch. */
static size_t distinct(size_t n, int32_t last, int32_t epoch[])
{
  size_t kept = 0;

  qsort(epoch, n, sizeof *epoch, ascending);
  for (size_t i = 0; i < n; i++)
    if (epoch[i] <= last && (kept == 0 || epoch[i] != epoch[kept - 1]))
      epoch[kept++] = epoch[i];
  return kept;
}

PetscErrorCode ip_look_epochs(const ip_value *look, int32_t last, size_t *n, int32_t **epoch)
{
  /* Room for the densest preset: 20 + 16 + 95 + last / 100, 400, 20 per decade of 2^31. */
  const size_t room = (look->word < 0 ? look->n : 600 + (size_t)last / 100) + 2;
  int32_t *e = NULL;
  size_t marked = 0;

  PetscCall(IP_ALLOCATE(room, &e));
  switch (look->word) {
  case IP_LOOK_SAXE:
    marked = mark_saxe(last, e);
    break;
  case IP_LOOK_IDNNS:
    marked = mark_idnns(last, e);
    break;
  case IP_LOOK_LOG:
    marked = mark_log(last, e);
    break;
  default:
    for (size_t i = 0; i < look->n; i++) e[marked++] = (int32_t)look->list[i];
  }
  e[marked++] = 0;
  e[marked++] = last;
  *n = distinct(marked, last, e);
  *epoch = e;
  return PETSC_SUCCESS;
}
