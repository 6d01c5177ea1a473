package io.hypercalld.api.copy;

import java.lang.reflect.Constructor;
import java.lang.reflect.Field;
import java.lang.reflect.Modifier;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.objenesis.ObjenesisStd;
import org.objenesis.instantiator.ObjectInstantiator;

/** The fields of a class's objects, those of its superclasses included. Thread-safe. */
final class ObjectFields {
  private static final ClassValue<ObjectFields> KNOWN =
      new ClassValue<>() {
        @Override
        protected ObjectFields computeValue(Class<?> type) {
          return new ObjectFields(type);
        }
      };

  private final Class<?> type;
  private final List<Field> fields = new ArrayList<>();
  private final ObjectInstantiator<?> instantiator;
  private @Nullable Constructor<?> constructor;

  private ObjectFields(Class<?> type) {
    this.type = type;
    this.instantiator = new ObjenesisStd(false).getInstantiatorOf(type);
    for (Class<?> part = type; part != null && part != Object.class; part = part.getSuperclass()) {
      for (Field field : part.getDeclaredFields()) {
        if (!Modifier.isStatic(field.getModifiers())) {
          field.setAccessible(true);
          fields.add(field);
        }
      }
    }
  }

  static ObjectFields of(Class<?> type) {
    return KNOWN.get(type);
  }

  /** The fields' values, in the order of declaration. */
  @Nullable Object[] values(Object object) {
    return fields.stream().map(field -> read(field, object)).toArray();
  }

  /** An object made by the constructor that takes a value for each field. */
  Object construct(@Nullable Object[] values) {
    try {
      return constructor().newInstance(values);
    } catch (ReflectiveOperationException e) {
      throw new Uncopyable(type, String.valueOf(e.getCause()));
    }
  }

  private Constructor<?> constructor() throws NoSuchMethodException {
    Constructor<?> known = constructor;
    if (known == null) {
      known =
          type.getDeclaredConstructor(fields.stream().map(Field::getType).toArray(Class<?>[]::new));
      known.setAccessible(true);
      constructor = known;
    }
    return known;
  }

  /** An object of the class whose constructor has not run. */
  Object allocate() {
    return instantiator.newInstance();
  }

  void copy(Object original, Object copy, GraphCopies copies) {
    try {
      for (Field field : fields) {
        field.set(copy, copies.copied(field.get(original)));
      }
    } catch (IllegalAccessException e) {
      throw new IllegalStateException("fields of " + type.getName(), e);
    }
  }

  private static @Nullable Object read(Field field, Object object) {
    try {
      return field.get(object);
    } catch (IllegalAccessException e) {
      throw new IllegalStateException(field.toString(), e);
    }
  }
}
