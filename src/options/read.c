/* From text to blocks: what the file says outside its blocks, inside each, and what the command
   line says are sheets; a block is default < outside < block < command line. */

#include "reader.h"
#include <stdio.h>
#include <string.h>

enum { MOST_BLOCKS = 1000, SECTIONS = 8, LONGEST_NAME = 63, LONGEST_KEY = 64 };

/* What one mapping says. */
typedef struct {
  ip_origin origin;
  bool in_block;
  ip_values key[IP_KEYS];
  ip_place place[IP_KEYS]; /* of the key */
  const ip_node *section[SECTIONS], *estimate, *studies;
} sheet;

static bool may_stand_in_block(size_t key)
{
  const ip_scope scope = ip_option_row(key)->scope;

  return scope == IP_SCOPE_RUN || scope == IP_SCOPE_MEASURE || key == IP_KEY_REPEAT ||
         key == IP_KEY_NAME;
}

/* ---- unknown keys ---------------------------------------------------------------------------- */

/* Index of the first key whose name after the dot is this, -1 if there is none. */
static int key_of_part(const char *part)
{
  for (size_t key = 0; key < IP_KEYS; key++)
    if (!strcmp(ip_option_part(key), part)) return (int)key;
  return -1;
}

/* The nearest key, as it must be written where the unknown one stands. */
static const char *nearest_key(const ip_section *section, const char *name)
{
  const char *dot = strrchr(name, '.'), *part = dot ? dot + 1 : name, *nearest = NULL;

  if (section && (nearest = ip_names_nearest(section->part, name)) != NULL) return nearest;
  if (dot && (nearest = ip_names_nearest(ip_option_name, name)) != NULL) return nearest;
  nearest = ip_names_nearest(ip_key_word, part);
  return nearest && key_of_part(nearest) >= 0 ? ip_option_name((size_t)key_of_part(nearest))
                                              : nearest;
}

static PetscErrorCode complain_unknown(ip_reader *reader, const ip_section *section,
                                       const ip_node *node)
{
  char *shown, *hint;

  PetscCall(ip_show_text(reader, node->key, &shown));
  PetscCall(ip_show_nearest(reader, nearest_key(section, node->key), &hint));
  if (!strcmp(node->key, "<<"))
    return ip_complain(reader, node->key_place, "merge keys (<<) are not read here");
  return ip_complain(reader, node->key_place, "unknown key %s%s%s%s", shown,
                     section ? " in " : "", section ? section->name : "",
                     hint[0] ? hint : "; the topic `keys` of the help lists them all");
}

/* ---- sheets ---------------------------------------------------------------------------------- */

static PetscErrorCode complain_twice(ip_reader *reader, const char *name, ip_place place,
                                     ip_place first)
{
  if (place.argument > 0)
    return ip_complain(reader, place, "%s is given twice, first as argument %d", name,
                       first.argument);
  return ip_complain(reader, place, "%s is given twice, first at line %d", name, first.line);
}

static PetscErrorCode read_key(ip_reader *reader, const ip_section *section,
                               const ip_node *node, sheet *out)
{
  char name[LONGEST_KEY];
  const int length = snprintf(name, sizeof name, "%s%s%s", section ? section->name : "",
                              section ? "." : "", node->key);
  const int key = length < LONGEST_KEY ? ip_names_find(ip_option_name, name) : -1;

  if (key < 0) return complain_unknown(reader, section, node);
  const ip_parameter *row = ip_option_row((size_t)key);
  ip_values *values = &out->key[key];

  if (values->given) return complain_twice(reader, row->key, node->key_place, out->place[key]);
  if (out->in_block && !may_stand_in_block((size_t)key))
    return ip_complain(reader, node->key_place,
                       "%s is the same for all blocks: it stands outside `studies`", row->key);
  PetscCall(ip_values_read(reader, row->key, row, node,
                           row->scope == IP_SCOPE_RUN || key == IP_KEY_ON, values));
  values->origin = out->origin;
  out->place[key] = node->key_place;
  return PETSC_SUCCESS;
}

static PetscErrorCode read_section(ip_reader *reader, const ip_section *section,
                                   const ip_node *node, sheet *out)
{
  if (node->broken) return PETSC_SUCCESS;
  if (node->kind != IP_NODE_MAPPING)
    return ip_complain(reader, node->key_place,
                       "%s is a section: it wants keys, as in {%s: ...}", section->name,
                       section->part(0));
  for (const ip_node *child = node->first; child; child = child->next)
    PetscCall(read_key(reader, section, child, out));
  return PETSC_SUCCESS;
}

/* Keep a node that stands once; *again = true: it was there, which is noted. */
static PetscErrorCode keep_once(ip_reader *reader, const ip_node *node, const ip_node **kept,
                                bool *again)
{
  *again = *kept != NULL;
  if (*again) return complain_twice(reader, node->key, node->key_place, (*kept)->key_place);
  *kept = node;
  return PETSC_SUCCESS;
}

static PetscErrorCode read_sheet(ip_reader *reader, const ip_node *mapping, sheet *out)
{
  bool again;

  for (const ip_node *node = mapping->first; node; node = node->next) {
    const int section = ip_names_find(ip_section_name, node->key);

    if (section >= 0) {
      PetscCall(keep_once(reader, node, &out->section[section], &again));
      if (!again) PetscCall(read_section(reader, ip_section_row((size_t)section), node, out));
    } else if (!strcmp(node->key, "estimate")) {
      PetscCall(keep_once(reader, node, &out->estimate, &again));
    } else if (!strcmp(node->key, "studies")) {
      PetscCall(keep_once(reader, node, &out->studies, &again));
      if (out->in_block || out->origin == IP_ORIGIN_COMMAND_LINE)
        PetscCall(ip_complain(reader, node->key_place,
                              "studies: blocks stand at the top of the input file only"));
    } else {
      PetscCall(read_key(reader, NULL, node, out));
    }
  }
  if (out->key[IP_KEY_TRAIN_EPOCHS].given && out->key[IP_KEY_TRAIN_UPDATES].given)
    return ip_complain(reader, out->place[IP_KEY_TRAIN_UPDATES],
                       "train.updates is given beside train.epochs: leave one of them out");
  return PETSC_SUCCESS;
}

/* ---- the texts ------------------------------------------------------------------------------- */

static PetscErrorCode read_file(ip_reader *reader, const char *text, size_t length, sheet *out)
{
  ip_node *root;

  PetscCall(ip_tree_read(reader, 0, text, length, &root));
  if (!root || root->broken || ip_node_is_null(root)) return PETSC_SUCCESS;
  if (root->kind != IP_NODE_MAPPING)
    return ip_complain(reader, root->place, "an input consists of keys, as in `seed: 1`");
  return read_sheet(reader, root, out);
}

/* One key=value, as the mapping {key: value}. */
static PetscErrorCode read_argument(ip_reader *reader, int number, const char *argument,
                                    ip_node *mapping)
{
  const char *equals = strchr(argument, '=');
  ip_node *value = NULL;
  char *key, *shown;

  if (!equals || equals == argument) {
    PetscCall(ip_show_text(reader, argument, &shown));
    return ip_complain(reader, (ip_place){number, 0, 0},
                       "%s is not key=value, as in train.batch=64", shown);
  }
  const size_t errors = reader->n_noted;
  PetscCall(ip_tree_read(reader, number, equals + 1, strlen(equals + 1), &value));
  if (reader->n_noted > errors && !value) return PETSC_SUCCESS;
  if (!value) { /* nothing after the sign */
    PetscCall(IP_TAKE(&reader->arena, 1, &value));
    *value = (ip_node){
        .place = {number, 1, 1},
          .plain = true, .text = ""
    };
  }
  PetscCall(ip_arena_copy(&reader->arena, argument, (size_t)(equals - argument), &key));
  value->key = key;
  value->key_place = (ip_place){number, 0, 0};
  if (mapping->last)
    mapping->last->next = value;
  else
    mapping->first = value;
  mapping->last = value;
  mapping->n++;
  return PETSC_SUCCESS;
}

static PetscErrorCode read_arguments(ip_reader *reader, size_t n, const char *const argument[],
                                     sheet *out)
{
  ip_node mapping = {.kind = IP_NODE_MAPPING};

  IP_CHECK(n < INT32_MAX, IP_ERR_USAGE, "%zu arguments are too many", n);
  for (size_t i = 0; i < n; i++)
    PetscCall(read_argument(reader, (int)i + 1, argument[i], &mapping));
  return read_sheet(reader, &mapping, out);
}

static PetscErrorCode read_defaults(ip_reader *reader, sheet *out)
{
  ip_node *estimate;

  for (size_t key = 0; key < IP_KEYS; key++)
    PetscCall(ip_values_default(reader, ip_option_row(key), &out->key[key]));
  PetscCall(ip_tree_read(reader, IP_DEFAULT, ip_estimate_default, strlen(ip_estimate_default),
                         &estimate));
  out->estimate = estimate;
  return PETSC_SUCCESS;
}

/* ---- blocks ---------------------------------------------------------------------------------- */

/* Of epochs and updates the one said last counts: forget the other. */
static void displace(const sheet *defaults, const sheet *s, ip_key said, ip_key other,
                     ip_block *block)
{
  if (s->key[said].given && !s->key[other].given) block->key[other] = defaults->key[other];
}

static void apply(const sheet *defaults, const sheet *s, ip_draft *draft)
{
  displace(defaults, s, IP_KEY_TRAIN_EPOCHS, IP_KEY_TRAIN_UPDATES, draft->block);
  displace(defaults, s, IP_KEY_TRAIN_UPDATES, IP_KEY_TRAIN_EPOCHS, draft->block);
  for (size_t key = 0; key < IP_KEYS; key++)
    if (s->key[key].given) draft->block->key[key] = s->key[key];
  if (s->estimate) draft->estimate = s->estimate;
}

typedef struct {
  sheet defaults, outer, arguments;
  size_t n;        /* blocks, >= 1                          */
  sheet *inner;    /* shape (n); empty where no block is    */
  ip_draft *draft; /* shape (n)                             */
} sheets;

/* The number of blocks that the list names; 0 after an error. */
static PetscErrorCode count_blocks(ip_reader *reader, const ip_node *studies, size_t *n)
{
  *n = 1;
  if (!studies) return PETSC_SUCCESS;
  *n = studies->kind == IP_NODE_LIST && studies->n <= MOST_BLOCKS ? studies->n : 0;
  if (*n > 0 || studies->broken) return PETSC_SUCCESS;
  return ip_complain(reader, studies->place,
                     "studies: wants a list of blocks of keys (at most %d)", MOST_BLOCKS);
}

static PetscErrorCode read_blocks(ip_reader *reader, sheets *s)
{
  const ip_node *node = s->outer.studies ? s->outer.studies->first : NULL;

  for (size_t b = 0; b < s->n && node; b++, node = node->next) {
    s->inner[b] = (sheet){.origin = IP_ORIGIN_FILE, .in_block = true};
    s->draft[b].place = node->place;
    if (node->kind == IP_NODE_MAPPING)
      PetscCall(read_sheet(reader, node, &s->inner[b]));
    else if (!node->broken)
      PetscCall(ip_complain(reader, node->place, "studies: a block is a mapping of keys"));
  }
  return PETSC_SUCCESS;
}

static PetscErrorCode name_blocks(ip_reader *reader, size_t n, ip_draft draft[], bool alone)
{
  for (size_t b = 0; b < n; b++) {
    ip_block *block = draft[b].block;
    const ip_values *name = &block->key[IP_KEY_NAME];

    if (name->n > 0)
      PetscCall(ip_arena_print(&reader->arena, &block->name, "%s", name->value[0].string));
    else if (alone)
      PetscCall(ip_arena_print(&reader->arena, &block->name, "main"));
    else
      PetscCall(ip_arena_print(&reader->arena, &block->name, "study%zu", b + 1));
    const size_t length = strlen(block->name);
    const ip_place place = name->n > 0 ? ip_values_place(name) : draft[b].place;

    if (length == 0 || length > LONGEST_NAME)
      PetscCall(ip_complain(reader, place, "name: has %zu characters, not 1 to %d", length,
                            LONGEST_NAME));
    for (size_t a = 0; a < b; a++)
      if (!strcmp(draft[a].block->name, block->name))
        PetscCall(
            ip_complain(reader, place, "name: two blocks are called \"%s\"", block->name));
  }
  return PETSC_SUCCESS;
}

static PetscErrorCode make_blocks(ip_reader *reader, sheets *s, ip_options *options)
{
  options->n_blocks = s->n;
  PetscCall(IP_TAKE(&reader->arena, s->n, &options->block));
  for (size_t b = 0; b < s->n; b++) {
    ip_draft *draft = &s->draft[b];

    draft->block = &options->block[b];
    memcpy(draft->block->key, s->defaults.key, sizeof s->defaults.key);
    draft->estimate = s->defaults.estimate;
    apply(&s->defaults, &s->outer, draft);
    apply(&s->defaults, &s->inner[b], draft);
    apply(&s->defaults, &s->arguments, draft);
    PetscCall(ip_columns_read(reader, draft));
  }
  PetscCall(name_blocks(reader, s->n, s->draft, !s->outer.studies));
  return ip_drafts_check(reader, s->n, s->draft);
}

static PetscErrorCode read_all(ip_reader *reader, sheets *s, ip_options *options)
{
  PetscCall(count_blocks(reader, s->outer.studies, &s->n));
  PetscCall(IP_TAKE(&reader->arena, s->n, &s->inner));
  PetscCall(IP_TAKE(&reader->arena, s->n, &s->draft));
  for (size_t b = 0; b < s->n; b++) s->draft[b].place = (ip_place){0, 1, 1};
  PetscCall(read_blocks(reader, s));
  return make_blocks(reader, s, options);
}

static PetscErrorCode read_texts(ip_reader *reader, const char *text, size_t length,
                                 size_t n_arguments, const char *const argument[],
                                 ip_options *options)
{
  sheets *s;

  PetscCall(IP_TAKE(&reader->arena, 1, &s));
  s->outer.origin = IP_ORIGIN_FILE;
  s->arguments.origin = IP_ORIGIN_COMMAND_LINE;
  PetscCall(read_defaults(reader, &s->defaults));
  PetscCall(read_arguments(reader, n_arguments, argument, &s->arguments));
  PetscCall(read_file(reader, text, length, &s->outer));
  PetscCall(read_all(reader, s, options));
  return ip_arena_print(&reader->arena, &options->origin, "%s", reader->name);
}

PetscErrorCode ip_options_read(const char *name, const char *text, size_t length,
                               size_t n_arguments, const char *const argument[],
                               ip_options **options)
{
  ip_reader *reader;
  ip_options *read;
  PetscErrorCode code;

  PetscCall(IP_ALLOCATE(1, &reader));
  reader->name = name;
  code = IP_TAKE(&reader->arena, 1, &read);
  if (!code) code = read_texts(reader, text, length, n_arguments, argument, read);
  /* reading on was of no use, or everything was read: either way the errors are told */
  if (!code || code == (PetscErrorCode)IP_ERR_CONFIG) {
    const PetscErrorCode told = ip_complaints_raise(reader);

    if (told) code = told;
  }
  if (code) {
    ip_arena_destroy(&reader->arena);
    ip_release(&reader);
    return code;
  }
  read->memory = reader;
  *options = read;
  return PETSC_SUCCESS;
}

void ip_options_destroy(ip_options **options)
{
  if (!*options) return;
  ip_reader *reader = (*options)->memory;

  ip_arena_destroy(&reader->arena);
  ip_release(&reader);
  *options = NULL;
}

const ip_value *ip_options_value(const ip_options *options, size_t block, ip_key key)
{
  const ip_values *values = &options->block[block].key[key];

  return values->n > 0 ? &values->value[0] : NULL;
}
