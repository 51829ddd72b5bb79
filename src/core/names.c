/* Closed sets of names: lookup, and the nearest one for "did you mean". */

#include <ctype.h>
#include <infoplane/core.h>
#include <string.h>

enum { LONGEST = 63 };

int ip_names_find(ip_names names, const char *name)
{
  const char *known;

  for (size_t i = 0; (known = names(i)) != NULL; i++)
    if (strcmp(known, name) == 0) return (int)i;
  return -1;
}

static size_t smaller(size_t a, size_t b)
{
  return a < b ? a : b;
}

/* Optimal string alignment distance of the lower-case forms: insert, delete, replace, swap
   neighbors, each once. */
static size_t edits(const char *a, const char *b)
{
  const size_t n = strlen(a), m = strlen(b);
  size_t row[3][LONGEST + 1], *before = row[0], *last = row[1], *now = row[2];

  if (n > LONGEST || m > LONGEST) return SIZE_MAX; /* near to nothing */
  for (size_t j = 0; j <= m; j++) last[j] = before[j] = j;
  for (size_t i = 1; i <= n; i++) {
    now[0] = i;
    for (size_t j = 1; j <= m; j++) {
      const int here = tolower((unsigned char)a[i - 1]),
                there = tolower((unsigned char)b[j - 1]);

      now[j] = smaller(smaller(last[j], now[j - 1]) + 1, last[j - 1] + (size_t)(here != there));
      if (i > 1 && j > 1 && here == tolower((unsigned char)b[j - 2]) &&
          there == tolower((unsigned char)a[i - 2]))
        now[j] = smaller(now[j], before[j - 2] + 1);
    }
    size_t *oldest = before;

    before = last, last = now, now = oldest;
  }
  return last[m];
}

const char *ip_names_nearest(ip_names names, const char *name)
{
  const size_t near = 1 + strlen(name) / 3; /* more edits than that is another word */
  const char *known, *best = NULL;
  size_t least = near + 1;

  for (size_t i = 0; (known = names(i)) != NULL; i++) {
    const size_t distance = edits(known, name);

    if (distance < least) least = distance, best = known;
  }
  return best;
}

PetscErrorCode ip_names_list(ip_names names, ip_text *text)
{
  const char *name;

  for (size_t i = 0; (name = names(i)) != NULL; i++)
    PetscCall(ip_text_add(text, i == 0 ? "%s" : " %s", name));
  return PETSC_SUCCESS;
}
