package io.hypercalld.api.scenario;

import java.util.ArrayList;
import java.util.Collections;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.function.Supplier;
import java.util.stream.Stream;

/**
 * What a guest's devices may do by now: all that its PASID tables, its page tables and its P2M have
 * said since it last had the like forgotten. Tables are told apart by number; what a table says is
 * remembered for each PASID apart.
 */
final class NestedOracle {
  /** Where a PASID's entry leads. */
  sealed interface Target {
    /** Nowhere. */
    record Absent() implements Target {}

    /** To guest-physical addresses. */
    record Passing() implements Target {}

    /** Through a table. */
    record Through(int table) implements Target {}
  }

  /** What a table has for a frame. */
  record Entry(int page, boolean readable, boolean writable) {
    static final Entry ABSENT = new Entry(0, false, false);
  }

  private static final Target ABSENT = new Target.Absent();

  private final List<List<Set<Target>>> targets;
  private final List<List<Target>> targetsNow;
  private final List<List<List<Set<Entry>>>> entries;
  private final List<List<Entry>> entriesNow;
  private final long[] marks;
  private boolean translating;

  /** So many devices, PASIDs, tables, and frames, which are as many as pages. */
  record Size(int devices, int pasids, int tables, int frames) {}

  NestedOracle(Size size) {
    this.targets = lists(size.devices, () -> lists(size.pasids, () -> only(ABSENT)));
    this.targetsNow = lists(size.devices, () -> lists(size.pasids, () -> ABSENT));
    this.entries =
        lists(
            size.tables,
            () -> lists(size.pasids, () -> lists(size.frames, () -> only(Entry.ABSENT))));
    this.entriesNow = lists(size.tables, () -> lists(size.frames, () -> Entry.ABSENT));
    this.marks = new long[size.frames];
  }

  private static <T> List<T> lists(int count, Supplier<T> element) {
    return new ArrayList<>(Stream.generate(element).limit(count).toList());
  }

  private static <T> Set<T> only(T one) {
    return new HashSet<>(Collections.singleton(one));
  }

  void set(int device, int pasid, Target target) {
    targetsNow.get(device).set(pasid, target);
    targets.get(device).get(pasid).add(target);
  }

  Target target(int device, int pasid) {
    return targetsNow.get(device).get(pasid);
  }

  /** Whether a PASID cannot go by any other entry. */
  boolean goesOnly(int device, int pasid, Target target) {
    return targets.get(device).get(pasid).equals(Set.of(target));
  }

  /** A PASID's entry was forgotten for every device. */
  void forgetPasid(int pasid) {
    for (int device = 0; device < targets.size(); device++) {
      targets.get(device).set(pasid, only(target(device, pasid)));
    }
  }

  void set(int table, int frame, Entry entry) {
    entriesNow.get(table).set(frame, entry);
    entries.get(table).forEach(pasid -> pasid.get(frame).add(entry));
  }

  Entry entry(int table, int frame) {
    return entriesNow.get(table).get(frame);
  }

  void forget(int table, int pasid, int frame) {
    entries.get(table).get(pasid).set(frame, only(entry(table, frame)));
  }

  void forget(int table, int pasid) {
    for (int frame = 0; frame < marks.length; frame++) {
      forget(table, pasid, frame);
    }
  }

  void translate(boolean on) {
    translating = on;
    for (int pasid = 0; on && pasid < targets.getFirst().size(); pasid++) {
      forgetPasid(pasid);
    }
  }

  boolean isTranslating() {
    return translating;
  }

  /** The guest has the page, with this in it. */
  void mark(int page, long mark) {
    marks[page] = mark;
  }

  void take(int page) {
    marks[page] = 0;
  }

  boolean has(int page) {
    return marks[page] != 0;
  }

  Optional<Integer> pageOf(long mark) {
    for (int page = 0; page < marks.length; page++) {
      if (marks[page] == mark && mark != 0) {
        return Optional.of(page);
      }
    }
    return Optional.empty();
  }

  /** The pages where a request may end; nothing in the set stands for a fault. */
  Set<Optional<Integer>> ends(int device, int pasid, int frame, boolean writes) {
    Set<Optional<Integer>> ends = new HashSet<>();
    if (!translating) {
      ends.add(Optional.empty());
      return ends;
    }
    for (Target target : targets.get(device).get(pasid)) {
      switch (target) {
        case Target.Absent() -> ends.add(Optional.empty());
        case Target.Passing() -> ends.add(present(frame));
        case Target.Through(int table) ->
            entries.get(table).get(pasid).get(frame).forEach(entry -> ends.add(end(entry, writes)));
      }
    }
    return ends;
  }

  private Optional<Integer> end(Entry entry, boolean writes) {
    return (writes ? entry.writable() : entry.readable())
        ? present(entry.page())
        : Optional.empty();
  }

  private Optional<Integer> present(int page) {
    return has(page) ? Optional.of(page) : Optional.empty();
  }
}
