/* Pairs of groups that differ in one key alone. */

#include "contrast.h"
#include <math.h>
#include <string.h>

bool contrast_is(const sweep *s, const sweep_group *g, const char *name, const char *word)
{
  const int k = sweep_key_find(s, name);
  const double value = k < 0 ? -1.0 : g->key[k];

  return value >= 0.0 && value < (double)s->key[k].n_words &&
         strcmp(s->key[k].word[(size_t)value], word) == 0;
}

/* ---- the key under test: its name, and where a group lies on it -------------------------- */

static bool is_full(const sweep_group *g)
{
  return g->batch == g->train_size;
}

static double place_by_batch(const sweep *s, const sweep_group *g)
{
  (void)s;
  return is_full(g) ? 0.0 : 1.0 / (double)g->batch;
}

static double place_by_size(const sweep *s, const sweep_group *g)
{
  (void)s;
  return -(double)g->train_size;
}

static double place_by_depth(const sweep *s, const sweep_group *g)
{
  (void)s;
  return g->layers > 1 ? (double)g->layers : (double)NAN;
}

/* 1 at one word, 0 at the other, NaN elsewhere. */
static double place_between(const sweep *s, const sweep_group *g, const char *name,
                            const char *const word[2])
{
  if (contrast_is(s, g, name, word[0])) return 1.0;
  return contrast_is(s, g, name, word[1]) ? 0.0 : (double)NAN;
}

static double place_by_activation(const sweep *s, const sweep_group *g)
{
  return place_between(s, g, "activation", (const char *const[]){"tanh", "relu"});
}

static double place_by_decay(const sweep *s, const sweep_group *g)
{
  const int k = sweep_key_find(s, "weight_decay");

  return k < 0 ? (double)NAN : g->key[k];
}

static double place_by_labels(const sweep *s, const sweep_group *g)
{
  return place_between(s, g, "labels", (const char *const[]){"shuffled", "deterministic"});
}

/* Rows in the order of contrast_key. */
static const struct {
  const char *name;    /* of the key, as in the file */
  const char *follows; /* a key that cannot but differ with it, or NULL */
  bool from_zero;      /* the lower end must lie at 0 */
  double (*place)(const sweep *s, const sweep_group *g);
} row[] = {
    {"batch_size",         NULL,         true,  place_by_batch     },
    {"train_fraction",     NULL,         false, place_by_size      },
    {"architecture_index", NULL,         false, place_by_depth     },
    {"activation",         NULL,         true,  place_by_activation},
    {"weight_decay",       NULL,         true,  place_by_decay     },
    {"labels",             "data_index", true,  place_by_labels    },
};

const char *contrast_name(contrast_key key)
{
  return row[key].name;
}

/* ---- all else is equal ------------------------------------------------------------------- */

static double last_updates(const sweep_group *g)
{
  return g->updates[g->n_looks - 1];
}

static double batches(const sweep_group *g)
{
  return ceil((double)g->train_size / (double)g->batch);
}

/* n updates are ceil(n / batches per epoch) whole epochs, so equal n differ by less than an
   epoch. */
static bool same_clock(const sweep_group *a, const sweep_group *b)
{
  const double epoch = fmax(batches(a), batches(b));

  return fabs(last_updates(a) - last_updates(b)) < epoch;
}

/* The same batch was asked for: equal, both full, or too large for the smaller training set,
   which made it full. */
static bool same_batch(const sweep_group *a, const sweep_group *b)
{
  const sweep_group *small = a->train_size < b->train_size ? a : b, *large = small == a ? b : a;

  if (a->batch == b->batch || (is_full(a) && is_full(b))) return true;
  return small->train_size < large->train_size && is_full(small) && large->batch > small->batch;
}

static bool same_key(const sweep *s, const sweep_group *a, const sweep_group *b, size_t k)
{
  const double x = a->key[k], y = b->key[k];

  if (x == y || (isnan(x) && isnan(y))) return true;
  if (strcmp(s->key[k].name, "batch_size") == 0) return same_batch(a, b);
  return strcmp(s->key[k].name, "epochs") == 0 && same_clock(a, b);
}

static bool all_else_equal(const sweep *s, const sweep_group *a, const sweep_group *b,
                           contrast_key key)
{
  for (size_t k = 0; k < s->n_keys; k++) {
    const char *name = s->key[k].name;
    const bool under_test = strcmp(name, row[key].name) == 0 ||
                            (row[key].follows && strcmp(name, row[key].follows) == 0);

    if (!under_test && !same_key(s, a, b, k)) return false;
  }
  return true;
}

/* ---- pairs ------------------------------------------------------------------------------- */

/* No third group that agrees with both lies farther out. */
static bool at_the_ends(const sweep *s, const sweep_study *study, contrast_key key,
                        const sweep_group *a, const sweep_group *b)
{
  const double most = row[key].place(s, a), least = row[key].place(s, b);

  if (!(most > least) || (row[key].from_zero && least != 0.0)) return false;
  for (size_t i = 0; i < study->n; i++) {
    const sweep_group *c = &study->group[i];
    const double place = row[key].place(s, c);

    if (c->n > 0 && (place > most || place < least) && all_else_equal(s, a, c, key) &&
        all_else_equal(s, b, c, key))
      return false;
  }
  return true;
}

PetscErrorCode contrast_setting(const sweep *s, const sweep_study *study, const sweep_group *a,
                                const sweep_group *b, ip_text *text)
{
  PetscCall(ip_text_add(text, "%s", ""));
  for (size_t k = 0; k < s->n_keys; k++) {
    const bool shared = a->key[k] == b->key[k] ||
                        (strcmp(s->key[k].name, "batch_size") == 0 && same_batch(a, b));
    char shown[64];

    if (!study->varies[k] || !shared || strcmp(s->key[k].name, "epochs") == 0) continue;
    if (a->train_size < b->train_size)
      sweep_key_format(s, b, k, shown); /* a batch may be too large for a */
    else
      sweep_key_format(s, a, k, shown);
    PetscCall(ip_text_add(text, text->length > 0 ? ", %s" : "%s", shown));
  }
  return PETSC_SUCCESS;
}

static PetscErrorCode describe(const sweep *s, const sweep_study *study, contrast_key key,
                               contrast *c)
{
  const sweep_group *a = &study->group[c->a], *b = &study->group[c->b];
  const int k = sweep_key_find(s, row[key].name);
  char of_a[64], of_b[64];

  sweep_key_format(s, a, (size_t)k, of_a);
  sweep_key_format(s, b, (size_t)k, of_b);
  c->equal_clock = same_clock(a, b);
  PetscCall(ip_text_add(&c->compared, "%s - %s", of_a, of_b));
  return contrast_setting(s, study, a, b, &c->setting);
}

/* Groups a and b may be compared. */
static bool compares(const sweep *s, const sweep_study *study, contrast_key key, size_t a,
                     size_t b)
{
  const sweep_group *g = &study->group[a], *h = &study->group[b];

  return g->n > 0 && h->n > 0 && all_else_equal(s, g, h, key) &&
         at_the_ends(s, study, key, g, h);
}

/* Append all partners of group a. */
static PetscErrorCode find_partners(const sweep *s, const sweep_study *study, contrast_key key,
                                    size_t a, size_t *n, contrast pair[])
{
  for (size_t b = 0; b < study->n; b++) {
    if (!compares(s, study, key, a, b)) continue;
    pair[*n] = (contrast){.a = a, .b = b};
    PetscCall(describe(s, study, key, &pair[(*n)++]));
  }
  return PETSC_SUCCESS;
}

PetscErrorCode contrast_find(const sweep *s, const sweep_study *study, contrast_key key,
                             size_t *n, contrast **found)
{
  contrast *pair = NULL;
  size_t n_pairs = 0;
  PetscErrorCode code = IP_ALLOCATE(study->n * study->n, &pair);

  if (sweep_key_find(s, row[key].name) >= 0)
    for (size_t a = 0; a < study->n && !code; a++)
      code = find_partners(s, study, key, a, &n_pairs, pair);
  if (code) {
    contrast_clear(n_pairs, &pair);
    return code;
  }
  *n = n_pairs;
  *found = pair;
  return PETSC_SUCCESS;
}

void contrast_clear(size_t n, contrast **found)
{
  for (size_t i = 0; *found && i < n; i++) {
    ip_text_clear(&(*found)[i].setting);
    ip_text_clear(&(*found)[i].compared);
  }
  ip_release(found);
}
