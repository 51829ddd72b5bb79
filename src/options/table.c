/* The table of every key, as rows, and the words that only it uses. */

#include "reader.h"
#include <infoplane/dataset.h>
#include <infoplane/network.h>
#include <string.h>

/* Name i of a list that ends in NULL. */
#define WORDS(function, ...)                                                                   \
  static const char *function(size_t i)                                                        \
  {                                                                                            \
    static const char *const word[] = {__VA_ARGS__};                                           \
                                                                                               \
    return i < sizeof word / sizeof word[0] ? word[i] : NULL;                                  \
  }

WORDS(ip_samples_word, "all")
WORDS(ip_choice_name, "first", "random")
WORDS(ip_look_name, "saxe", "idnns", "log")
WORDS(ip_save_name, "no", "final", "looked")
WORDS(ip_batch_word, "full")
WORDS(ip_never_word, "none")
WORDS(ip_all_word, "all")
WORDS(ip_auto_word, "auto")

static const ip_parameter table[IP_KEYS] = {
#define IP_OPTION(id, key_, type_, scope_, unit_, low_, high_, choice_, initial_, coordinate_, \
                  sentence_, reference_)                                                       \
  [IP_KEY_##id] = {.key = (key_),                                                              \
                   .type = (type_),                                                            \
                   .scope = (scope_),                                                          \
                   .unit = (unit_),                                                            \
                   .low = (low_),                                                              \
                   .high = (high_),                                                            \
                   .choice = (choice_),                                                        \
                   .initial = (initial_),                                                      \
                   .coordinate = (coordinate_),                                                \
                   .sentence = (sentence_),                                                    \
                   .reference = (reference_)},
#include <infoplane/options.def>
#undef IP_OPTION
};

const char ip_estimate_default[] =
    "[{kind: binning, bins: 30}, {kind: kde, noise_variance: 1e-3}]";

const ip_parameter *ip_option_row(size_t key)
{
  return key < IP_KEYS ? &table[key] : NULL;
}

const char *ip_option_name(size_t key)
{
  return key < IP_KEYS ? table[key].key : NULL;
}

const char *ip_option_part(size_t key)
{
  if (key >= IP_KEYS) return NULL;
  const char *dot = strchr(table[key].key, '.');
  return dot ? dot + 1 : table[key].key;
}

/* Key i of a section, without the prefix. */
static const char *part_of(const char *section, size_t i)
{
  const size_t length = strlen(section);

  for (size_t key = 0; key < IP_KEYS; key++)
    if (!strncmp(table[key].key, section, length) && table[key].key[length] == '.' && i-- == 0)
      return table[key].key + length + 1;
  return NULL;
}

static const char *dataset_part(size_t i)
{
  return part_of("dataset", i);
}

static const char *network_part(size_t i)
{
  return part_of("network", i);
}

static const char *train_part(size_t i)
{
  return part_of("train", i);
}

static const char *save_part(size_t i)
{
  return part_of("save", i);
}

static const ip_section sections[] = {
    {"dataset", "where X and Y come from",         dataset_part},
    {"network", "the networks that are trained",   network_part},
    {"train",   "how they are trained",            train_part  },
    {"save",    "what is kept beside the results", save_part   },
};

const ip_section *ip_section_row(size_t i)
{
  return i < sizeof sections / sizeof sections[0] ? &sections[i] : NULL;
}

const char *ip_section_name(size_t i)
{
  return ip_section_row(i) ? sections[i].name : NULL;
}

const char *ip_key_word(size_t i)
{
  enum { SECTIONS = sizeof sections / sizeof sections[0] };
  static const char *const other[] = {"estimate", "studies"};

  if (i < IP_KEYS) return ip_option_part(i);
  if (i < IP_KEYS + SECTIONS) return sections[i - IP_KEYS].name;
  i -= IP_KEYS + SECTIONS;
  return i < sizeof other / sizeof other[0] ? other[i] : NULL;
}
