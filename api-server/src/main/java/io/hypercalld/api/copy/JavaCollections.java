package io.hypercalld.api.copy;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.BitSet;
import java.util.Collection;
import java.util.Comparator;
import java.util.EnumMap;
import java.util.EnumSet;
import java.util.HashMap;
import java.util.HashSet;
import java.util.IdentityHashMap;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.PriorityQueue;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/** Copies what comes from {@code java.util}, through its own methods, as its fields are closed. */
final class JavaCollections {
  private static final Map<Class<?>, Function<Collection<?>, Collection<Object>>> COLLECTIONS =
      Map.of(
          ArrayList.class, original -> new ArrayList<>(original.size()),
          ArrayDeque.class, original -> new ArrayDeque<>(),
          HashSet.class, original -> new HashSet<>(),
          LinkedHashSet.class, original -> new LinkedHashSet<>());

  private final GraphCopies copies;

  private JavaCollections(GraphCopies copies) {
    this.copies = copies;
  }

  static Object copy(Object original, GraphCopies copies) {
    return new JavaCollections(copies).copy(original);
  }

  private Object copy(Object original) {
    return switch (original) {
      case Collection<?> view when isView(view) && isSame(view, elements(view)) -> view;
      case BitSet bits -> copies.keep(bits, bits.clone());
      case EnumSet<?> set -> copies.keep(set, set.clone());
      case Optional<?> optional -> copies.keep(optional, optional.map(copies::of));
      case Map<?, ?> map -> copyMap(map);
      case Collection<?> collection -> copyCollection(collection);
      default -> throw unknown(original);
    };
  }

  private static Uncopyable unknown(Object original) {
    return new Uncopyable(original.getClass(), "nobody knows how");
  }

  private Collection<?> copyCollection(Collection<?> original) {
    Function<Collection<?>, Collection<Object>> empty = COLLECTIONS.get(original.getClass());
    if (empty != null) {
      return fill(original, copies.keep(original, empty.apply(original)));
    }
    return switch (original) {
      case TreeSet<?> set -> fill(set, copies.keep(set, new TreeSet<>(copyOf(set.comparator()))));
      case PriorityQueue<?> queue ->
          fill(queue, copies.keep(queue, new PriorityQueue<>(copyOf(queue.comparator()))));
      case List<?> list when isUnchangeable(list) -> copies.keep(list, copyUnchangeable(list));
      case Set<?> set when isUnchangeable(set) -> copies.keep(set, copyUnchangeable(set));
      default -> throw unknown(original);
    };
  }

  /** The order of what it sorts; null for the natural one. */
  @SuppressWarnings("unchecked")
  private @Nullable Comparator<Object> copyOf(@Nullable Comparator<?> order) {
    return (Comparator<Object>) copies.copied(order);
  }

  private Collection<Object> fill(Collection<?> original, Collection<Object> copy) {
    original.forEach(element -> copy.add(copies.of(element)));
    return copy;
  }

  /** Read-only and of something else: of values, as views of what changes cannot be followed. */
  private static boolean isView(Collection<?> original) {
    return original.getClass().getName().startsWith("java.util.Collections$Unmodifiable");
  }

  private Object[] elements(Collection<?> original) {
    return original.stream().<Object>map(copies::of).toArray();
  }

  /** What {@code List.of} and its like make. */
  private static boolean isUnchangeable(Object original) {
    return original.getClass().getName().startsWith("java.util.ImmutableCollections$");
  }

  private List<?> copyUnchangeable(List<?> original) {
    Object[] elements = elements(original);
    return isSame(original, elements) ? original : Arrays.stream(elements).toList();
  }

  private Set<?> copyUnchangeable(Set<?> original) {
    Object[] elements = elements(original);
    return isSame(original, elements) ? original : Set.of(elements);
  }

  private static boolean isSame(Collection<?> original, Object[] copied) {
    Iterator<?> elements = original.iterator();
    return Arrays.stream(copied).allMatch(element -> element == elements.next());
  }

  private Map<?, ?> copyMap(Map<?, ?> original) {
    if (isUnchangeable(original)) {
      return copies.keep(original, copyUnchangeable(original));
    }
    return switch (original) {
      case TreeMap<?, ?> map ->
          fill(map, copies.keep(map, new TreeMap<>(copyOf(map.comparator()))));
      case EnumMap<?, ?> map -> copyValues(copies.keep(map, map.clone()));
      case IdentityHashMap<?, ?> map -> fill(map, copies.keep(map, new IdentityHashMap<>()));
      case LinkedHashMap<?, ?> map when map.getClass() == LinkedHashMap.class ->
          fill(map, copies.keep(map, new LinkedHashMap<>()));
      case HashMap<?, ?> map when map.getClass() == HashMap.class ->
          fill(map, copies.keep(map, new HashMap<>()));
      default -> throw unknown(original);
    };
  }

  private Map<Object, Object> fill(Map<?, ?> original, Map<Object, Object> copy) {
    original.forEach((key, value) -> copy.put(copies.of(key), copies.of(value)));
    return copy;
  }

  private <K extends Enum<K>, V> EnumMap<K, V> copyValues(EnumMap<K, V> copy) {
    copy.replaceAll((key, value) -> copies.of(value));
    return copy;
  }

  private Map<?, ?> copyUnchangeable(Map<?, ?> original) {
    boolean same = true;
    Map<Object, Object> copy = new LinkedHashMap<>();
    for (Map.Entry<?, ?> entry : original.entrySet()) {
      Object key = copies.of(entry.getKey());
      Object value = copies.of(entry.getValue());
      same &= key == entry.getKey() && value == entry.getValue();
      copy.put(key, value);
    }
    return same ? original : Map.copyOf(copy);
  }
}
