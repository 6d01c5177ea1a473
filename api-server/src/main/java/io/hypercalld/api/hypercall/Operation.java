package io.hypercalld.api.hypercall;

import com.fasterxml.jackson.core.JsonToken;
import io.hypercalld.api.json.JsonReader;
import io.hypercalld.api.json.JsonWriter;
import io.hypercalld.api.json.Shape;
import io.hypercalld.api.json.Shapes;
import io.hypercalld.core.bits.Word;
import io.hypercalld.core.domain.DomainId;
import io.hypercalld.core.errno.Errno;
import io.hypercalld.core.errno.Refusal;
import io.hypercalld.core.hypercall.Hypercall;
import io.hypercalld.core.hypercall.Outcome;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;

/**
 * One operation of one hypercall. Immutable; only the machine thread executes it.
 *
 * @param call {@code domctl}
 * @param op {@code assign_device}
 * @param arguments the record that it takes
 * @param shape how the record is written
 * @param errnos what it may be refused with; empty where it never is
 * @param missing what it lacks, where that is something but not all
 */
public record Operation<A extends Hypercall>(
    String call,
    String op,
    Level level,
    Class<A> arguments,
    Shape<? extends Hypercall> shape,
    List<Errno> errnos,
    Optional<String> missing,
    Execution<A> execution) {
  private static final Set<String> MOVING =
      Set.of(
          "assign_device",
          "deassign_device",
          "destroydomain",
          "pci_device_add",
          "pci_device_remove");

  /** What carries an operation out. */
  @FunctionalInterface
  public interface Execution<A> {
    /**
     * Executes the call on behalf of a domain.
     *
     * @throws Refusal with nothing changed
     */
    Outcome execute(DomainId caller, A arguments);
  }

  static <A extends Hypercall> Operation<A> of(
      String call, String op, Class<A> arguments, Execution<A> execution) {
    return new Operation<>(
        call,
        op,
        Level.FULL,
        arguments,
        Shapes.HYPERCALLS.of(arguments),
        List.of(),
        Optional.empty(),
        execution);
  }

  /** One that is not there. It takes any well-formed arguments, since nobody has said which. */
  static Operation<Unimplemented> missing(String call, String op) {
    return absent(call, op, Errno.ENOSYS);
  }

  /** One that Xen does not know either; some calls have errnos of their own for that. */
  static Operation<Unimplemented> unknown(String call, String op) {
    Errno errno =
        switch (call) {
          case "dm_op" -> Errno.EOPNOTSUPP;
          // -1, whatever it was meant to say.
          case "dom0vp_op" -> Errno.EPERM;
          default -> Errno.ENOSYS;
        };
    return absent(call, op, errno);
  }

  private static Operation<Unimplemented> absent(String call, String op, Errno errno) {
    return new Operation<>(
        call,
        op,
        Level.NONE,
        Unimplemented.class,
        new AnyArguments(call, op),
        List.of(errno),
        Optional.empty(),
        (caller, arguments) -> {
          throw Refusal.of(errno, "%s.%s is not implemented", arguments.call(), arguments.op());
        });
  }

  Operation<A> refusing(Errno... reasons) {
    return new Operation<>(call, op, level, arguments, shape, List.of(reasons), missing, execution);
  }

  /** Lacks something, which is one clause without a full stop. */
  Operation<A> partly(String lacking) {
    return new Operation<>(
        call, op, Level.PARTIAL, arguments, shape, errnos, Optional.of(lacking), execution);
  }

  /** Takes the version of the interface beside its arguments, and refuses any other. */
  Operation<A> versioned(Word version) {
    List<Errno> more = Stream.concat(errnos.stream(), Stream.of(Errno.EACCES)).distinct().toList();
    return new Operation<>(
        call, op, level, arguments, VersionedShape.of(this, version), more, missing, execution);
  }

  /** Whether it may change who owns which device. */
  public boolean movesDevices() {
    return MOVING.contains(op);
  }

  /** As it appears in messages: {@code domctl.assign_device}. */
  public String name() {
    return call + "." + op;
  }

  /**
   * Executes a call. The one place where a refusal becomes an outcome.
   *
   * @param args a record of {@link #arguments}
   */
  public Outcome execute(DomainId caller, Hypercall args) {
    if (args instanceof WrongVersion(String _, String _, Word version)) {
      return Outcome.Refused.of(
          Refusal.of(Errno.EACCES, "%s has no interface of version %s", name(), version));
    }
    try {
      return execution.execute(caller, arguments.cast(args));
    } catch (Refusal refusal) {
      return Outcome.Refused.of(refusal);
    }
  }

  /** Any object at all. */
  private record AnyArguments(String call, String op) implements Shape<Unimplemented> {
    @Override
    public Unimplemented read(JsonReader in) {
      if (in.token() != JsonToken.START_OBJECT) {
        throw in.expected("an object");
      }
      in.skip();
      return new Unimplemented(call, op);
    }

    @Override
    public void write(Unimplemented value, JsonWriter out) {
      out.beginObject().endObject();
    }

    @Override
    public Map<String, Object> schema() {
      return Map.of("type", "object");
    }
  }
}
