package io.hypercalld.core.memory;

import java.util.Arrays;
import java.util.function.LongConsumer;

/**
 * Numbers of which the lowest is handed out next. Confined to the machine thread.
 *
 * <p>A binary heap: what is put in ascending order, as tables that are freed are, costs one store.
 */
final class LowestFirst {
  private static final int ROOM = 16;

  private long[] heap = new long[ROOM];
  private int size;

  int size() {
    return size;
  }

  void add(long number) {
    if (size == heap.length) {
      heap = Arrays.copyOf(heap, 2 * size);
    }
    int at = size++;
    while (at > 0 && heap[parent(at)] > number) {
      heap[at] = heap[parent(at)];
      at = parent(at);
    }
    heap[at] = number;
  }

  /** Takes the lowest out; there must be one. */
  long removeLowest() {
    long lowest = heap[0];
    long moved = heap[--size];
    int at = 0;
    for (int child = lowerChild(at); child < size && heap[child] < moved; child = lowerChild(at)) {
      heap[at] = heap[child];
      at = child;
    }
    heap[at] = moved;
    return lowest;
  }

  /** Takes the highest numbers out, the highest first, until so many are left. */
  void removeHighest(int left, LongConsumer removed) {
    Arrays.sort(heap, 0, size);
    while (size > left) {
      removed.accept(heap[--size]);
    }
  }

  /** Shows all of them, the lowest first. */
  void forEach(LongConsumer action) {
    Arrays.sort(heap, 0, size);
    for (int i = 0; i < size; i++) {
      action.accept(heap[i]);
    }
  }

  private int lowerChild(int at) {
    int left = 2 * at + 1;
    return left + 1 < size && heap[left + 1] < heap[left] ? left + 1 : left;
  }

  private static int parent(int at) {
    return (at - 1) >>> 1;
  }
}
