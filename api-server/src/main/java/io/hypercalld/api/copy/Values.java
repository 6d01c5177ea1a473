package io.hypercalld.api.copy;

import java.lang.invoke.MethodHandle;
import java.math.BigInteger;
import java.util.OptionalInt;
import java.util.OptionalLong;
import java.util.Set;
import java.util.UUID;

/** What never changes and is therefore never copied. */
final class Values {
  private static final Set<Class<?>> CLASSES =
      Set.of(
          String.class,
          Long.class,
          Integer.class,
          Short.class,
          Byte.class,
          Character.class,
          Boolean.class,
          Double.class,
          Float.class,
          BigInteger.class,
          UUID.class,
          Class.class,
          OptionalInt.class,
          OptionalLong.class);

  private Values() {}

  static boolean includes(Object object) {
    return object instanceof Enum<?>
        || object instanceof MethodHandle
        || CLASSES.contains(object.getClass())
        || isCombination(object.getClass());
  }

  /** One of Java's own lambdas, such as a comparator composed of others. */
  private static boolean isCombination(Class<?> type) {
    return type.isHidden() && type.getModule() == Object.class.getModule();
  }
}
