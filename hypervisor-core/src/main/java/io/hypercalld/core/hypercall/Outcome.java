package io.hypercalld.core.hypercall;

import io.hypercalld.core.errno.Errno;
import io.hypercalld.core.errno.Refusal;
import java.util.Map;

/** How a hypercall ended. Immutable. */
public sealed interface Outcome {
  /** The number that Xen returns: zero or a count, or the negative of an errno. */
  default long ret() {
    return switch (this) {
      case Success(long ret, Object _) -> ret;
      case Refused(Errno errno, String _, Object _) -> -errno.number();
      case Preempted _ -> -Errno.ERESTART.number();
    };
  }

  /**
   * It was done.
   *
   * @param ret zero, or a count where Xen returns one
   * @param out what the C struct returns: a record whose components are its members in camel case,
   *     or an empty map
   */
  record Success(long ret, Object out) implements Outcome {}

  /**
   * It was refused, and nothing changed.
   *
   * @param out what the C struct returns all the same; an empty map where that is nothing
   */
  record Refused(Errno errno, String detail, Object out) implements Outcome {
    public static Refused of(Refusal refusal) {
      return new Refused(refusal.errno(), refusal.reason(), refusal.out());
    }
  }

  /**
   * It stopped between two steps: what was done stays done, and the rest is another call.
   *
   * @param out what was written to the caller's lists; an empty map where that is nothing
   */
  record Preempted(Hypercall rest, Object out) implements Outcome {}

  /** The same with what the parts of the call before this one wrote to the caller's lists. */
  default Outcome after(Preempted earlier) {
    return switch (this) {
      case Success(long ret, Object out) -> new Success(ret, all(earlier.out, out));
      case Refused(Errno errno, String detail, Object out) ->
          new Refused(errno, detail, all(earlier.out, out));
      case Preempted(Hypercall rest, Object out) -> new Preempted(rest, all(earlier.out, out));
    };
  }

  private static Object all(Object before, Object now) {
    if (before instanceof Written first) {
      return now instanceof Written last ? last.after(first) : first;
    }
    return now;
  }

  /** Success with nothing to say. */
  static Success done() {
    return new Success(0, Map.of());
  }

  /** Success with a count and nothing else. */
  static Success count(long count) {
    return new Success(count, Map.of());
  }

  /** Success with what the C struct returns. */
  static Success returning(Object out) {
    return new Success(0, out);
  }

  /** Stopped between two steps, with the call that goes on. */
  static Preempted preempted(Hypercall rest) {
    return new Preempted(rest, Map.of());
  }

  /** As {@link #preempted(Hypercall)}, with what was written so far. */
  static Preempted preempted(Hypercall rest, Written out) {
    return new Preempted(rest, out);
  }
}
