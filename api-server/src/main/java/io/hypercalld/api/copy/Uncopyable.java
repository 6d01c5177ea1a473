package io.hypercalld.api.copy;

/** Something cannot be copied; the message says where it is. A bug of whoever holds it. */
final class Uncopyable extends IllegalStateException {
  private static final long serialVersionUID = 1;

  Uncopyable(Class<?> type, String reason) {
    super("no copy of a %s: %s".formatted(type.getName(), reason));
  }

  private Uncopyable(String message) {
    super(message);
  }

  /** The same, told by what holds it. */
  Uncopyable within(Class<?> holder) {
    return new Uncopyable(getMessage() + " in a " + holder.getName());
  }
}
