package io.hypercalld.api.scenario;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.IntStream;

/**
 * What devices may see of a guest's tables: of each entry and of each context, every state since
 * the last invalidation that covers it, together with what lies in the guest's pages now.
 */
final class ShadowOracle {
  static final int READ = 1;
  static final int WRITE = 2;

  /** What a page-table entry says. */
  record Entry(int page, int permission) {
    static final Entry ABSENT = new Entry(-1, 0);
  }

  /** What a context entry says: a table's number, or one of the two others. */
  record Context(int table) {
    static final Context ABSENT = new Context(-1);
    static final Context PASSING = new Context(-2);

    boolean translates() {
      return table >= 0;
    }
  }

  private final List<Map<Integer, List<Entry>>> tables = new ArrayList<>();
  private final List<List<Context>> contexts = new ArrayList<>();

  /** What is in each of the guest's pages; absent where the page is ballooned out. */
  private final Map<Integer, Long> marks = new HashMap<>();

  /** Pages that nobody may write. */
  private final Set<Integer> readOnly = new HashSet<>();

  /** Devices that are not the guest's at the moment. */
  private final Set<Integer> away = new HashSet<>();

  private boolean translating;

  ShadowOracle(int tables, int devices) {
    for (int i = 0; i < tables; i++) {
      this.tables.add(new HashMap<>());
    }
    for (int i = 0; i < devices; i++) {
      contexts.add(new ArrayList<>(List.of(Context.ABSENT)));
    }
  }

  void translate(boolean on) {
    translating = on;
  }

  boolean isTranslating() {
    return translating;
  }

  void mark(int page, long mark) {
    marks.put(page, mark);
  }

  void take(int page) {
    marks.remove(page);
    readOnly.remove(page);
  }

  boolean isReadOnly(int page) {
    return readOnly.contains(page);
  }

  void protect(int page, boolean on) {
    if (on) {
      readOnly.add(page);
    } else {
      readOnly.remove(page);
    }
  }

  boolean isAway(int device) {
    return away.contains(device);
  }

  void leave(int device) {
    away.add(device);
  }

  /** A device comes back: it goes where the guest's context entry says now. */
  void arrive(int device) {
    away.remove(device);
    forgetContext(device);
  }

  /** The guest frame with a table's lowest entries is gone, and nobody need say so. */
  void lose(int table) {
    tables.get(table).values().forEach(states -> states.add(Entry.ABSENT));
    forgetTable(table);
  }

  /** Whatever was remembered is not any more. */
  void forgetEverything() {
    IntStream.range(0, tables.size()).forEach(this::forgetTable);
    IntStream.range(0, contexts.size()).forEach(this::forgetContext);
  }

  boolean has(int page) {
    return marks.containsKey(page);
  }

  void set(int table, int frame, Entry entry) {
    states(table, frame).add(entry);
  }

  void set(int device, Context context) {
    contexts.get(device).add(context);
  }

  private List<Entry> states(int table, int frame) {
    return tables.get(table).computeIfAbsent(frame, _ -> new ArrayList<>(List.of(Entry.ABSENT)));
  }

  /** The guest has a frame's translation forgotten: only what it says now is left. */
  void forget(int table, int frame) {
    List<Entry> states = states(table, frame);
    states.subList(0, states.size() - 1).clear();
  }

  void forgetTable(int table) {
    List.copyOf(tables.get(table).keySet()).forEach(frame -> forget(table, frame));
  }

  void forgetContext(int device) {
    List<Context> states = contexts.get(device);
    states.subList(0, states.size() - 1).clear();
  }

  /** Where a request may end: a page's number each, nothing for a fault. */
  List<Optional<Integer>> ends(int device, int frame, int permission) {
    if (away.contains(device)) {
      return List.of(Optional.empty());
    }
    if (!translating) {
      return List.of(inMemory(frame, permission));
    }
    List<Optional<Integer>> ends = new ArrayList<>();
    for (Context context : contexts.get(device)) {
      if (context.equals(Context.PASSING)) {
        ends.add(inMemory(frame, permission));
      } else if (context.translates()) {
        states(context.table(), frame).forEach(entry -> ends.add(end(entry, permission)));
      } else {
        ends.add(Optional.empty());
      }
    }
    return ends;
  }

  private Optional<Integer> end(Entry entry, int permission) {
    return (entry.permission & permission) == permission
        ? inMemory(entry.page, permission)
        : Optional.empty();
  }

  private Optional<Integer> inMemory(int page, int permission) {
    boolean refused = permission == WRITE && readOnly.contains(page);
    return Optional.of(page).filter(marks::containsKey).filter(_ -> !refused);
  }

  /** The page that holds a mark. */
  Optional<Integer> pageOf(long mark) {
    return marks.entrySet().stream()
        .filter(entry -> entry.getValue() == mark)
        .map(Map.Entry::getKey)
        .findFirst();
  }
}
