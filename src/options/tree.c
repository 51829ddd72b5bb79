/* YAML in a restricted form as a tree of nodes with their places.

   libyaml does the scanning.  Left out are anchors, aliases, tags and several documents; nesting
   and size are limited, so that no text costs more than it is long. */

#include "reader.h"
#include <string.h>
#include <yaml.h>

enum { DEEPEST = 16, MOST_NODES = 200000, LONGEST_TEXT = 16 * 1024 * 1024 };

typedef struct {
  ip_reader *reader;
  int argument;
  const char *text;
  size_t length, n_nodes;
  bool stopped; /* an error after which nothing more can be read */
  yaml_parser_t parser;
  yaml_event_t event; /* the one at hand */
} scan;

static ip_place place_of(const scan *s, const yaml_mark_t *mark)
{
  return (ip_place){s->argument, (int)mark->line + 1, (int)mark->column + 1};
}

/* Place of a byte: lines end in \n, columns count characters. */
static ip_place place_of_byte(const scan *s, size_t offset)
{
  ip_place place = {s->argument, 1, 1};

  for (size_t i = 0; i < offset; i++) {
    if (s->text[i] == '\n')
      place.line++, place.column = 1;
    else if (((unsigned char)s->text[i] & 0xc0) != 0x80)
      place.column++;
  }
  return place;
}

/* Length of the UTF-8 character at text, 0 if it is none (or NUL). */
static size_t character_length(const unsigned char *text, size_t room)
{
  static const struct {
    unsigned char mask, lead, length;
    uint32_t least;
  } form[] = {
      {0x80, 0x00, 1, 0x1    },
      {0xe0, 0xc0, 2, 0x80   },
      {0xf0, 0xe0, 3, 0x800  },
      {0xf8, 0xf0, 4, 0x10000}
  };

  for (size_t f = 0; f < sizeof form / sizeof form[0]; f++) {
    uint32_t code = text[0] & (unsigned char)~form[f].mask;

    if ((text[0] & form[f].mask) != form[f].lead) continue;
    if (form[f].length > room) return 0;
    for (size_t i = 1; i < form[f].length; i++) {
      if ((text[i] & 0xc0) != 0x80) return 0;
      code = code << 6 | (text[i] & 0x3fU);
    }
    if (code < form[f].least || code > 0x10ffff || (code >= 0xd800 && code < 0xe000)) return 0;
    return form[f].length;
  }
  return 0;
}

/* libyaml names no place for a byte that is no text: look for it first. */
static PetscErrorCode check_bytes(scan *s)
{
  const size_t length = s->length;
  size_t i = 0, step;

  if (length > LONGEST_TEXT) {
    s->stopped = true;
    return ip_complain(s->reader, (ip_place){s->argument, 1, 1},
                       "%zu bytes are too many: an input has at most 16 MiB", length);
  }
  while (i < length &&
         (step = character_length((const unsigned char *)s->text + i, length - i)) > 0)
    i += step;
  if (i == length) return PETSC_SUCCESS;
  s->stopped = true;
  return ip_complain(s->reader, place_of_byte(s, i),
                     "byte 0x%02x is no text: an input is UTF-8 without NUL",
                     (unsigned)(unsigned char)s->text[i]);
}

/* Whether character number index is a tab: what most often goes wrong in YAML. */
static bool is_tab(const scan *s, size_t index)
{
  const char *c = s->text;

  while (c < s->text + s->length && (((unsigned char)*c & 0xc0) == 0x80 || index-- > 0)) c++;
  return c < s->text + s->length && *c == '\t';
}

static PetscErrorCode complain_syntax(scan *s)
{
  const yaml_parser_t *p = &s->parser;

  IP_CHECK(p->error != YAML_MEMORY_ERROR, IP_ERR_INTERNAL, "no memory left to read %s",
           s->reader->name);
  if (p->error == YAML_READER_ERROR)
    return ip_complain(s->reader, place_of_byte(s, p->problem_offset),
                       "not YAML: %s (character 0x%x)", p->problem, (unsigned)p->problem_value);
  if (is_tab(s, p->problem_mark.index))
    return ip_complain(s->reader, place_of(s, &p->problem_mark),
                       "a tab cannot indent YAML: use spaces");
  if (p->context && p->context_mark.line != p->problem_mark.line)
    return ip_complain(s->reader, place_of(s, &p->problem_mark),
                       "not YAML: %s %s that begins at line %zu", p->problem, p->context,
                       p->context_mark.line + 1);
  return ip_complain(s->reader, place_of(s, &p->problem_mark), "not YAML: %s", p->problem);
}

/* Go to the next event. */
static PetscErrorCode advance(scan *s)
{
  yaml_event_delete(&s->event);
  if (yaml_parser_parse(&s->parser, &s->event)) return PETSC_SUCCESS;
  memset(&s->event, 0, sizeof s->event);
  s->stopped = true;
  return complain_syntax(s);
}

static PetscErrorCode check_decoration(scan *s, ip_node *node, const yaml_char_t *anchor,
                                       const yaml_char_t *tag)
{
  if (!anchor && !tag) return PETSC_SUCCESS;
  node->broken = true;
  return ip_complain(s->reader, node->place, "%s are not read here: write the value itself",
                     anchor ? "anchors (&name)" : "tags (!name)");
}

static PetscErrorCode read_scalar(scan *s, ip_node *node)
{
  const char *text = (const char *)s->event.data.scalar.value;
  const size_t length = s->event.data.scalar.length;
  char *copy;

  node->kind = IP_NODE_SCALAR;
  node->plain = s->event.data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
  PetscCall(ip_arena_copy(&s->reader->arena, text, length, &copy));
  node->text = copy;
  if (strlen(copy) != length) {
    node->broken = true;
    PetscCall(ip_complain(s->reader, node->place, "a text must not hold a NUL"));
  }
  return check_decoration(s, node, s->event.data.scalar.anchor, s->event.data.scalar.tag);
}

static PetscErrorCode read_node(scan *s, int depth, ip_node **out);

static void append(ip_node *parent, ip_node *child)
{
  if (parent->last)
    parent->last->next = child;
  else
    parent->first = child;
  parent->last = child;
  parent->n++;
}

static PetscErrorCode read_list(scan *s, int depth, ip_node *list)
{
  list->kind = IP_NODE_LIST;
  PetscCall(check_decoration(s, list, s->event.data.sequence_start.anchor,
                             s->event.data.sequence_start.tag));
  PetscCall(advance(s));
  while (!s->stopped && s->event.type != YAML_SEQUENCE_END_EVENT) {
    ip_node *child = NULL;

    PetscCall(read_node(s, depth + 1, &child));
    if (child) append(list, child);
  }
  return PETSC_SUCCESS;
}

static PetscErrorCode read_mapping(scan *s, int depth, ip_node *mapping)
{
  mapping->kind = IP_NODE_MAPPING;
  PetscCall(check_decoration(s, mapping, s->event.data.mapping_start.anchor,
                             s->event.data.mapping_start.tag));
  PetscCall(advance(s));
  while (!s->stopped && s->event.type != YAML_MAPPING_END_EVENT) {
    ip_node *key = NULL, *child = NULL;

    PetscCall(read_node(s, depth + 1, &key));
    if (!s->stopped) PetscCall(read_node(s, depth + 1, &child));
    if (!key || !child) continue;
    if (key->kind == IP_NODE_SCALAR && !key->broken) {
      child->key = key->text;
      child->key_place = key->place;
      append(mapping, child);
    } else if (!key->broken) {
      PetscCall(ip_complain(s->reader, key->place, "a key must be a word"));
    }
  }
  return PETSC_SUCCESS;
}

/* Read the node that begins with the event at hand, and go past it. */
static PetscErrorCode read_node(scan *s, int depth, ip_node **out)
{
  const ip_place place = place_of(s, &s->event.start_mark);
  ip_node *node;

  if (depth > DEEPEST || ++s->n_nodes > MOST_NODES) {
    s->stopped = true;
    return depth > DEEPEST
               ? ip_complain(s->reader, place, "nested deeper than %d levels", DEEPEST)
               : ip_complain(s->reader, place, "more than %d values", MOST_NODES);
  }
  PetscCall(IP_TAKE(&s->reader->arena, 1, &node));
  node->place = place;
  switch (s->event.type) {
  case YAML_SEQUENCE_START_EVENT:
    PetscCall(read_list(s, depth, node));
    break;
  case YAML_MAPPING_START_EVENT:
    PetscCall(read_mapping(s, depth, node));
    break;
  case YAML_SCALAR_EVENT:
    PetscCall(read_scalar(s, node));
    break;
  default: /* an alias: nothing else can stand here */
    node->broken = true;
    node->text = "";
    PetscCall(ip_complain(s->reader, place,
                          "aliases (*name) are not read here: write the value itself"));
  }
  if (!s->stopped) PetscCall(advance(s));
  *out = node;
  return PETSC_SUCCESS;
}

static PetscErrorCode read_document(scan *s, ip_node **root)
{
  PetscCall(advance(s)); /* stream start */
  if (!s->stopped) PetscCall(advance(s));
  if (s->stopped || s->event.type == YAML_STREAM_END_EVENT) return PETSC_SUCCESS;
  PetscCall(advance(s)); /* document start */
  if (!s->stopped) PetscCall(read_node(s, 1, root));
  if (!s->stopped) PetscCall(advance(s)); /* document end */
  if (!s->stopped && s->event.type != YAML_STREAM_END_EVENT)
    return ip_complain(s->reader, place_of(s, &s->event.start_mark),
                       "a second document begins here: an input is one document");
  return PETSC_SUCCESS;
}

PetscErrorCode ip_tree_read(ip_reader *reader, int argument, const char *text, size_t length,
                            ip_node **root)
{
  scan s = {.reader = reader, .argument = argument, .text = text, .length = length};

  *root = NULL;
  PetscCall(check_bytes(&s));
  if (s.stopped) return PETSC_SUCCESS;
  IP_CHECK(yaml_parser_initialize(&s.parser), IP_ERR_INTERNAL, "no memory left to read %s",
           reader->name);
  yaml_parser_set_encoding(&s.parser, YAML_UTF8_ENCODING);
  yaml_parser_set_input_string(&s.parser, (const unsigned char *)text, length);
  const PetscErrorCode code = read_document(&s, root);
  yaml_event_delete(&s.event);
  yaml_parser_delete(&s.parser);
  if (s.stopped) *root = NULL;
  return code;
}

bool ip_node_is_null(const ip_node *node)
{
  return node->kind == IP_NODE_SCALAR && node->plain &&
         (!node->text[0] || !strcmp(node->text, "~") || !strcmp(node->text, "null"));
}
