package io.hypercalld.api.journal;

import java.lang.reflect.Constructor;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.RecordComponent;
import java.lang.reflect.Type;
import java.util.List;
import java.util.stream.Stream;

/** What a record is made of. Thread-safe. */
record RecordParts(
    List<String> names, List<Type> types, List<Method> accessors, Constructor<?> constructor) {
  private static final ClassValue<RecordParts> KNOWN =
      new ClassValue<>() {
        @Override
        protected RecordParts computeValue(Class<?> type) {
          return find(type);
        }
      };

  static RecordParts of(Class<?> type) {
    return KNOWN.get(type);
  }

  private static RecordParts find(Class<?> type) {
    List<RecordComponent> components = List.of(type.getRecordComponents());
    List<Method> accessors = components.stream().map(RecordComponent::getAccessor).toList();
    Constructor<?> constructor;
    try {
      constructor =
          type.getDeclaredConstructor(
              components.stream().map(RecordComponent::getType).toArray(Class<?>[]::new));
    } catch (NoSuchMethodException e) {
      throw new IllegalStateException(type.getName(), e);
    }
    constructor.setAccessible(true);
    accessors.forEach(accessor -> accessor.setAccessible(true));
    return new RecordParts(
        components.stream().map(RecordComponent::getName).toList(),
        Stream.of(type.getRecordComponents()).map(RecordComponent::getGenericType).toList(),
        accessors,
        constructor);
  }

  /** The value of one component. */
  Object value(Record of, int component) {
    try {
      return accessors.get(component).invoke(of);
    } catch (IllegalAccessException | InvocationTargetException e) {
      throw new IllegalStateException(of.getClass().getName(), e);
    }
  }

  /**
   * The record of these values.
   *
   * @throws Malformed where it does not take them
   */
  Object construct(List<Object> values) {
    try {
      return constructor.newInstance(values.toArray());
    } catch (InvocationTargetException e) {
      String why = e.getCause() == null ? "refused" : e.getCause().getMessage();
      throw new Malformed(
          "these are no parts of a %s: %s"
              .formatted(constructor.getDeclaringClass().getSimpleName(), why));
    } catch (ReflectiveOperationException e) {
      throw new IllegalStateException(constructor.toString(), e);
    }
  }
}
