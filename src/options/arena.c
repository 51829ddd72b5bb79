/* Memory that is released as a whole: what is read from an input has one life. */

#include "reader.h"
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum { CHUNK = 16384, GRAIN = 16 };

struct ip_chunk {
  struct ip_chunk *before;
  size_t used, room;
  char *bytes;
};

static PetscErrorCode add_chunk(ip_arena *arena, size_t bytes)
{
  const size_t room = bytes > CHUNK ? bytes : CHUNK;
  ip_chunk *chunk;

  PetscCall(IP_ALLOCATE(1, &chunk));
  const PetscErrorCode code = IP_ALLOCATE(room, &chunk->bytes);
  if (code) {
    ip_release(&chunk);
    return code;
  }
  chunk->room = room;
  chunk->before = arena->last;
  arena->last = chunk;
  return PETSC_SUCCESS;
}

PetscErrorCode ip_arena_take(ip_arena *arena, size_t count, size_t size, void *pointer)
{
  void *room;
  size_t bytes;

  IP_CHECK(!__builtin_mul_overflow(count, size, &bytes) && bytes < SIZE_MAX / 2,
           IP_ERR_INTERNAL, "no memory for %zu elements of %zu bytes", count, size);
  bytes = (bytes + GRAIN - 1) / GRAIN * GRAIN;
  if (!arena->last || arena->last->room - arena->last->used < bytes)
    PetscCall(add_chunk(arena, bytes));
  room = arena->last->bytes + arena->last->used;
  arena->last->used += bytes;
  memcpy(pointer, &room, sizeof room);
  return PETSC_SUCCESS;
}

PetscErrorCode ip_arena_copy(ip_arena *arena, const char *text, size_t length, char **copy)
{
  char *room = NULL;

  PetscCall(IP_TAKE(arena, length + 1, &room));
  memcpy(room, text, length);
  *copy = room;
  return PETSC_SUCCESS;
}

PetscErrorCode ip_arena_print(ip_arena *arena, char **text, const char *format, ...)
{
  va_list arguments;
  char *room;

  va_start(arguments, format);
  const int length = vsnprintf(NULL, 0, format, arguments);
  va_end(arguments);
  IP_CHECK(length >= 0, IP_ERR_INTERNAL, "a text cannot be formatted: \"%s\"", format);
  PetscCall(IP_TAKE(arena, (size_t)length + 1, &room));
  va_start(arguments, format);
  vsnprintf(room, (size_t)length + 1, format, arguments);
  va_end(arguments);
  *text = room;
  return PETSC_SUCCESS;
}

void ip_arena_destroy(ip_arena *arena)
{
  while (arena->last) {
    ip_chunk *chunk = arena->last;

    arena->last = chunk->before;
    ip_release(&chunk->bytes);
    ip_release(&chunk);
  }
}
