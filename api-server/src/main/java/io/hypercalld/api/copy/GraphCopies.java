package io.hypercalld.api.copy;

import io.hypercalld.core.copy.Copies;
import io.hypercalld.core.copy.SelfCopying;
import java.lang.reflect.Array;
import java.util.Arrays;
import java.util.IdentityHashMap;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/**
 * Copies an object and everything that can be reached from it, each once. Confined to one thread,
 * used once.
 *
 * <p>Afterwards copy and original are alike and share nothing that can change, so that whatever
 * happens to one is not seen by the other. What cannot change is shared: values, and records and
 * lists of nothing but such. Classes need not be prepared; one that holds what is not an object of
 * Java's copies itself ({@link SelfCopying}).
 */
/*
 * Fields are read and written by reflection, since a constructor would do more than put an object
 * into a state. A record is made by its constructor instead, after its components, so that a cycle
 * must pass through something else. A lambda's captured values are its fields, and the arguments of
 * its constructor.
 */
public final class GraphCopies implements Copies {
  private final IdentityHashMap<Object, Object> made = new IdentityHashMap<>();

  @Override
  @SuppressWarnings("unchecked")
  public <T> T of(T original) {
    return (T) copyOf(original);
  }

  @Nullable Object copied(@Nullable Object original) {
    return original == null ? null : copyOf(original);
  }

  private Object copyOf(Object original) {
    if (Values.includes(original)) {
      return original;
    }
    Object known = made.get(original);
    return known == null ? makeWithin(original) : known;
  }

  private Object makeWithin(Object original) {
    try {
      return make(original);
    } catch (Uncopyable part) {
      throw part.within(original.getClass());
    }
  }

  /** Lets a copy be found before what it refers to has been copied. */
  <T> T keep(Object original, T copy) {
    made.put(original, copy);
    return copy;
  }

  private Object make(Object original) {
    if (original instanceof SelfCopying<?> own) {
      return keep(original, own.copy(this));
    }
    Class<?> type = original.getClass();
    if (type.isArray()) {
      return copyArray(original);
    }
    if (type.isRecord() || type.isHidden()) {
      return keep(original, rebuild(original));
    }
    if (type == Object.class) {
      return keep(original, new Object());
    }
    if (type.getName().startsWith("java.")) {
      return JavaCollections.copy(original, this);
    }
    return copyObject(original);
  }

  private Object copyArray(Object original) {
    int length = Array.getLength(original);
    Object copy = keep(original, Array.newInstance(original.getClass().componentType(), length));
    if (original instanceof Object[] elements) {
      for (int i = 0; i < length; i++) {
        Array.set(copy, i, copied(elements[i]));
      }
    } else {
      System.arraycopy(original, 0, copy, 0, length);
    }
    return copy;
  }

  /** As a record or a lambda is copied: by its constructor, whose parameters are its fields. */
  private Object rebuild(Object original) {
    ObjectFields fields = ObjectFields.of(original.getClass());
    @Nullable Object[] values = fields.values(original);
    @Nullable Object[] copied = Arrays.stream(values).map(this::copied).toArray();
    boolean same = IntStream.range(0, values.length).allMatch(i -> copied[i] == values[i]);
    return same ? original : fields.construct(copied);
  }

  private Object copyObject(Object original) {
    ObjectFields fields = ObjectFields.of(original.getClass());
    Object copy = keep(original, fields.allocate());
    fields.copy(original, copy, this);
    return copy;
  }
}
