package io.hypercalld.api.hypercall;

import io.hypercalld.core.bits.Word;
import io.hypercalld.core.hypercall.Hypercall;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Pattern;

/**
 * Every operation that has a name. Immutable; only the machine thread executes.
 *
 * <p>An operation is one line of one table: there is no other place to wire it.
 */
public final class HypercallCatalogue {
  private static final Pattern NUMBER = Pattern.compile("[0-9]{1,4}");

  private final Map<String, Map<String, Operation<?>>> byName = new LinkedHashMap<>();
  private final Map<Class<?>, Operation<?>> byArguments = new HashMap<>();
  private final List<Operation<?>> all;

  /**
   * The operations of some tables.
   *
   * @throws IllegalArgumentException where two have one name or one record of arguments
   */
  public HypercallCatalogue(Collection<List<Operation<?>>> tables) {
    List<Operation<?>> operations = new ArrayList<>();
    tables.forEach(operations::addAll);
    operations.forEach(this::add);
    this.all = List.copyOf(operations);
  }

  private void add(Operation<?> operation) {
    Map<String, Operation<?>> ops =
        byName.computeIfAbsent(operation.call(), call -> new LinkedHashMap<>());
    boolean named = ops.put(operation.op(), operation) == null;
    boolean typed =
        operation.level() == Level.NONE
            || byArguments.put(operation.arguments(), operation) == null;
    if (!named || !typed) {
      throw new IllegalArgumentException(operation.name() + " is in the catalogue twice");
    }
  }

  /**
   * The operation of a name. A number is the name of one that is not there: what Xen knows has a
   * word for it.
   */
  public Optional<Operation<?>> find(String call, String op) {
    Map<String, Operation<?>> ops = byName.getOrDefault(call, Map.of());
    Operation<?> known = ops.get(op);
    return known == null && !ops.isEmpty() && NUMBER.matcher(op).matches()
        ? Optional.of(Operation.unknown(call, op))
        : Optional.ofNullable(known);
  }

  /** The hypercalls. */
  public Set<String> calls() {
    return byName.keySet();
  }

  /** The operations of a hypercall; none where there is no such call. */
  public Set<String> ops(String call) {
    return byName.getOrDefault(call, Map.of()).keySet();
  }

  /** All operations, call by call. */
  public List<Operation<?>> all() {
    return all;
  }

  /** The operation that takes these arguments. */
  public Operation<?> of(Hypercall arguments) {
    Operation<?> known = byArguments.get(arguments.getClass());
    if (known != null) {
      return known;
    }
    return switch (arguments) {
      case Unimplemented(String call, String op) -> find(call, op).orElseThrow();
      case WrongVersion(String call, String op, Word _) -> find(call, op).orElseThrow();
      default -> throw new IllegalStateException("no operation takes " + arguments);
    };
  }
}
