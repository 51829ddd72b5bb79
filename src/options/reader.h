#pragma once

/** @file
 *  What the files of this room share: memory that lives as long as the options, the tree of a
 *  text, the list of errors, and the steps of reading.
 *
 *      text -> tree of nodes -> sheet (what one mapping says) -> block (all sheets merged)
 */

#include <infoplane/options.h>

/* ---- memory -------------------------------------------------------------------------------- */

typedef struct ip_chunk ip_chunk;

/** Memory that is released as a whole. Start with {0}. */
typedef struct {
  ip_chunk *last;
} ip_arena;

/** Zeroed room for count elements; pointer as in ip_allocate_bytes. */
PetscErrorCode ip_arena_take(ip_arena *arena, size_t count, size_t size, void *pointer);
#define IP_TAKE(arena, count, pointer)                                                         \
  ip_arena_take((arena), (count), sizeof **(pointer), (pointer))
/** A copy of length bytes, NUL-terminated. */
PetscErrorCode ip_arena_copy(ip_arena *arena, const char *text, size_t length, char **copy);
PetscErrorCode ip_arena_print(ip_arena *arena, char **text, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
void ip_arena_destroy(ip_arena *arena);

/* ---- errors -------------------------------------------------------------------------------- */

/** Where something stands; argument 0 is the file, all from 1. */
typedef struct {
  int argument, line, column;
} ip_place;

enum { IP_DEFAULT = -1 }; /**< argument of the defaults, which stand nowhere */

enum { IP_MOST_ERRORS = 100 };

/** One reading: its memory and what was found wrong so far. */
typedef struct {
  ip_arena arena;
  const char *name; /**< of the input file */
  size_t n_errors;
  size_t n_noted; /**< the same, repetitions counted: grows with every error */
  struct {
    ip_place place;
    const char *text;
  } error[IP_MOST_ERRORS];
} ip_reader;

/** Note an error; the same text at the same place counts once.  Returns IP_ERR_CONFIG when so
 *  many were found that reading on is no use. */
PetscErrorCode ip_complain(ip_reader *reader, ip_place place, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/** Raise all errors noted as one message, sorted by place; nothing if there are none. */
PetscErrorCode ip_complaints_raise(ip_reader *reader);

/** User text for a message: in quotes, clipped, nothing in it that a terminal acts on. */
PetscErrorCode ip_show_text(ip_reader *reader, const char *text, char **shown);

/** `. Did you mean "nearest"?`, or nothing for NULL. */
PetscErrorCode ip_show_nearest(ip_reader *reader, const char *nearest, char **shown);

/* ---- tree ---------------------------------------------------------------------------------- */

typedef enum { IP_NODE_SCALAR, IP_NODE_LIST, IP_NODE_MAPPING } ip_node_kind;

typedef struct ip_node {
  ip_node_kind kind;
  ip_place place;
  bool plain;       /**< scalar without quotes                               */
  bool broken;      /**< an error was noted: say no more about it            */
  const char *text; /**< scalar                                              */
  size_t n;         /**< children of a list or mapping                       */
  struct ip_node *first, *last, *next;
  const char *key; /**< where the parent is a mapping                       */
  ip_place key_place;
} ip_node;

/** Read YAML of the restricted form; argument 0: the file.  *root is NULL for an empty text and
 *  after an error of syntax, which is noted. */
PetscErrorCode ip_tree_read(ip_reader *reader, int argument, const char *text, size_t length,
                            ip_node **root);

/** An empty scalar, ~ or null. */
bool ip_node_is_null(const ip_node *node);

/* ---- values -------------------------------------------------------------------------------- */

/** "a whole number from 1 to 100, or full": what a row takes. */
PetscErrorCode ip_describe_type(const ip_parameter *row, ip_text *text);

/** Read one value; label names the key in messages.  *ok = false: an error was noted. */
PetscErrorCode ip_value_read(ip_reader *reader, const char *label, const ip_parameter *row,
                             const ip_node *node, ip_value *value, bool *ok);

/** Read one value, or where `axis` a list of different ones; n = 0 after an error. */
PetscErrorCode ip_values_read(ip_reader *reader, const char *label, const ip_parameter *row,
                              const ip_node *node, bool axis, ip_values *values);

/** The default of a row; n = 0 where it has none. */
PetscErrorCode ip_values_default(ip_reader *reader, const ip_parameter *row, ip_values *values);

/* ---- keys ---------------------------------------------------------------------------------- */

/** A group of keys: "train". */
typedef struct {
  const char *name, *sentence;
  ip_names part; /**< its keys without the prefix */
} ip_section;

const ip_section *ip_section_row(size_t i);
const char *ip_section_name(size_t i);
const char *ip_option_part(size_t key); /**< name after the dot, NULL past the end */
const char *
ip_key_word(size_t i); /**< every word that may stand at the top: keys, sections, ... */

/* ---- blocks -------------------------------------------------------------------------------- */

/** A block while it is put together. */
typedef struct {
  ip_block *block;
  const ip_node *estimate; /**< the list that is in force                  */
  ip_place place;          /**< of the block                               */
} ip_draft;

/** Make the columns of a draft. */
PetscErrorCode ip_columns_read(ip_reader *reader, ip_draft *draft);

/** Check what keys say together. */
PetscErrorCode ip_drafts_check(ip_reader *reader, size_t n, ip_draft draft[]);

/** Where a given value stands. */
ip_place ip_values_place(const ip_values *values);

extern const char ip_estimate_default[];
