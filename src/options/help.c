/* Help from the tables: a key, a section, an estimator, a data set, or the list of all keys. */

#include "reader.h"
#include <infoplane/dataset.h>
#include <infoplane/network.h>
#include <string.h>

enum { LABEL = 14 };

static PetscErrorCode add_line(const char *label, const char *words, ip_text *text)
{
  char wide[LABEL + 8] = "  ";

  strncat(wide, label, LABEL);
  return words ? ip_text_wrap(text, LABEL, wide, words) : PETSC_SUCCESS;
}

/* ---- one row --------------------------------------------------------------------------------- */

static const char *scope_words(ip_scope scope)
{
  static const char *const words[] = {
      [IP_SCOPE_RUN] = "science: what a run is; compared when a file is continued",
      [IP_SCOPE_MEASURE] =
          "science: what is measured and kept of a run; compared when a file is continued",
      [IP_SCOPE_LAYOUT] = "layout: the shape of the file; compared when it is continued",
      [IP_SCOPE_LAUNCH] = "launch: free to differ at every start",
  };

  return words[scope];
}

static PetscErrorCode add_type(const ip_parameter *row, bool of_estimator, ip_text *text)
{
  const char *several = of_estimator || row == ip_option_row(IP_KEY_ON)
                            ? "gives several columns"
                            : "spans an axis";
  const bool lists = row->type == IP_INTEGERS || row->type == IP_INTERVAL,
             axis =
                 of_estimator || row->scope == IP_SCOPE_RUN || row == ip_option_row(IP_KEY_ON);
  ip_text words = {0};
  PetscErrorCode code = ip_describe_type(row, &words);

  if (!code && axis)
    code = ip_text_add(&words, "; a list of %s %s", lists ? "those" : "them", several);
  if (!code) code = add_line("takes", words.text, text);
  ip_text_clear(&words);
  return code;
}

static const char *dataset_sentence(size_t i)
{
  return ip_dataset_row(i)->sentence;
}

static const char *activation_sentence(size_t i)
{
  return ip_activation_row(i)->sentence;
}

/* Words that have a sentence of their own. */
static PetscErrorCode add_words(const ip_parameter *row, ip_text *text)
{
  const ip_names sentence = row->choice == ip_dataset_name      ? dataset_sentence
                            : row->choice == ip_activation_name ? activation_sentence
                                                                : NULL;

  for (size_t i = 0; sentence && row->choice(i); i++)
    PetscCall(add_line(row->choice(i), sentence(i), text));
  return PETSC_SUCCESS;
}

static PetscErrorCode add_row(const ip_parameter *row, bool of_estimator, ip_text *text)
{
  PetscCall(ip_text_wrap(text, 0, "", row->key));
  PetscCall(ip_text_wrap(text, 2, "  ", row->sentence));
  PetscCall(add_type(row, of_estimator, text));
  PetscCall(add_line("default", row->initial ? row->initial : "none", text));
  if (strcmp(row->unit, "1") != 0) PetscCall(add_line("unit", row->unit, text));
  if (!of_estimator) PetscCall(add_line("scope", scope_words(row->scope), text));
  PetscCall(add_line("in the file", row->coordinate, text));
  PetscCall(add_line("source", row->reference, text));
  return add_words(row, text);
}

/* ---- lists ----------------------------------------------------------------------------------- */

/* One line: key, default, the sentence up to its first semicolon. */
static PetscErrorCode add_overview(const ip_parameter *row, ip_text *text)
{
  return ip_text_add(text, "  %-20s%-17s%.*s\n", row->key, row->initial ? row->initial : "-",
                     (int)strcspn(row->sentence, ";"), row->sentence);
}

static bool is_in_section(const ip_section *section, const char *key)
{
  const size_t length = strlen(section->name);

  return !strncmp(key, section->name, length) && key[length] == '.';
}

static PetscErrorCode add_section(const ip_section *section, ip_text *text)
{
  PetscCall(ip_text_add(text, "%s: %s\n", section->name, section->sentence));
  for (size_t key = 0; key < IP_KEYS; key++)
    if (is_in_section(section, ip_option_name(key)))
      PetscCall(add_overview(ip_option_row(key), text));
  return PETSC_SUCCESS;
}

static PetscErrorCode add_estimator(const ip_estimator *estimator, ip_text *text)
{
  PetscCall(ip_text_add(text, "{kind: %s, ...}\n", estimator->name));
  PetscCall(ip_text_wrap(text, 2, "  ", estimator->sentence));
  PetscCall(add_line("source", estimator->reference, text));
  for (size_t p = 0; estimator->parameter[p].key; p++) {
    PetscCall(ip_text_add(text, "\n"));
    PetscCall(add_row(&estimator->parameter[p], true, text));
  }
  return PETSC_SUCCESS;
}

static PetscErrorCode add_dataset(const ip_dataset_kind *kind, ip_text *text)
{
  PetscCall(ip_text_add(text, "dataset: {name: %s%s}\n", kind->name,
                        kind->needs_path ? ", path: FILE" : ""));
  PetscCall(ip_text_wrap(text, 2, "  ", kind->sentence));
  PetscCall(add_line("source", kind->reference, text));
  return ip_text_add(text, "  infoplane help dataset lists the other keys of a data set.\n");
}

static PetscErrorCode add_estimate(ip_text *text)
{
  const ip_estimator *estimator;

  PetscCall(ip_text_wrap(text, 0, "", "estimate"));
  PetscCall(
      ip_text_wrap(text, 2, "  ",
                   "how layers are measured: a list of entries {kind: ..., parameters}. A "
                   "list as a value gives several columns, lists multiply; `on` says on "
                   "which patterns."));
  PetscCall(add_line("default", ip_estimate_default, text));
  PetscCall(add_line("scope", scope_words(IP_SCOPE_MEASURE), text));
  for (size_t i = 0; (estimator = ip_estimator_row(i)) != NULL; i++) {
    PetscCall(ip_text_add(text, "\n"));
    PetscCall(add_estimator(estimator, text));
  }
  return PETSC_SUCCESS;
}

static PetscErrorCode add_studies(ip_text *text)
{
  PetscCall(ip_text_wrap(text, 0, "", "studies"));
  return ip_text_wrap(
      text, 2, "  ",
      "a list of blocks of keys, each overriding the keys outside it; the plan is "
      "the union of their grids, equal runs planned once. key=value of the command "
      "line overrides inside every block. A block may have its own `name`.");
}

static PetscErrorCode add_keys(ip_text *text)
{
  const ip_section *section;

  for (size_t i = 0; (section = ip_section_row(i)) != NULL; i++) {
    PetscCall(add_section(section, text));
    PetscCall(ip_text_add(text, "\n"));
  }
  PetscCall(ip_text_add(text, "at the top\n"));
  for (size_t key = 0; key < IP_KEYS; key++)
    if (!strchr(ip_option_name(key), '.')) PetscCall(add_overview(ip_option_row(key), text));
  PetscCall(ip_text_add(text, "  %-20s%-17s%s\n", "estimate", "binning and kde",
                        "list of the estimators that measure each layer"));
  return ip_text_add(text, "  %-20s%-17s%s\n", "studies", "-",
                     "list of blocks, each overriding the keys outside it");
}

/* ---- topics ---------------------------------------------------------------------------------- */

const char *ip_options_topic(size_t i)
{
  if (i < IP_KEYS) return ip_option_name(i);
  i -= IP_KEYS;
  for (size_t e = 0; ip_estimator_name(e); e++)
    if (i-- == 0) return ip_estimator_name(e);
  for (size_t d = 0; ip_dataset_name(d); d++)
    if (i-- == 0) return ip_dataset_name(d);
  return i == 0 ? "keys" : ip_key_word(i - 1);
}

/* The key that a topic names, in full or by its last part; the number of such keys. */
static size_t find_key(const char *topic, size_t *found)
{
  const int exact = ip_names_find(ip_option_name, topic);
  size_t n = 0;

  *found = (size_t)exact;
  if (exact >= 0) return 1;
  for (size_t key = 0; key < IP_KEYS; key++)
    if (!strcmp(ip_option_part(key), topic)) *found = key, n++;
  return n;
}

static PetscErrorCode add_topic(const char *topic, ip_text *text)
{
  const int section = ip_names_find(ip_section_name, topic),
            estimator = ip_names_find(ip_estimator_name, topic),
            dataset = ip_names_find(ip_dataset_name, topic);
  const char *nearest = ip_names_nearest(ip_options_topic, topic);
  size_t key;

  if (!strcmp(topic, "keys")) return add_keys(text);
  if (!strcmp(topic, "estimate")) return add_estimate(text);
  if (!strcmp(topic, "studies")) return add_studies(text);
  if (section >= 0) return add_section(ip_section_row((size_t)section), text);
  if (estimator >= 0) return add_estimator(ip_estimator_row((size_t)estimator), text);
  if (dataset >= 0) return add_dataset(ip_dataset_row((size_t)dataset), text);
  if (find_key(topic, &key) == 1) return add_row(ip_option_row(key), false, text);
  IP_CHECK(nearest != NULL, IP_ERR_USAGE,
           "no help on \"%.60s\"; the topic \"keys\" lists all keys", topic);
  IP_CHECK(false, IP_ERR_USAGE, "no help on \"%.60s\". Did you mean \"%s\"?", topic, nearest);
}

PetscErrorCode ip_options_help(const char *topic, ip_text *text)
{
  ip_text written = {0};
  PetscErrorCode code = add_topic(topic, &written);

  if (!code) code = ip_text_add(text, "%s", written.text);
  ip_text_clear(&written);
  return code;
}
