package io.hypercalld.api.hypercall;

import io.hypercalld.api.json.Framed;
import io.hypercalld.api.json.JsonReader;
import io.hypercalld.api.json.JsonWriter;
import io.hypercalld.api.json.Shape;
import io.hypercalld.api.json.Shapes;
import io.hypercalld.core.bits.Word;
import io.hypercalld.core.hypercall.Hypercall;
import java.util.Map;

/**
 * Arguments with the version of the interface that they are written for beside them; left out, it
 * is the right one. Immutable.
 *
 * @param expected the version that is there
 */
record VersionedShape(
    String call, String op, Shape<? extends Framed<? extends Hypercall>> framed, Word expected)
    implements Shape<Hypercall> {
  static <A extends Hypercall> VersionedShape of(Operation<A> operation, Word expected) {
    return new VersionedShape(
        operation.call(),
        operation.op(),
        Shapes.HYPERCALLS.framed(operation.arguments(), "interface_version", expected),
        expected);
  }

  @Override
  public Hypercall read(JsonReader in) {
    Framed<? extends Hypercall> read = framed.read(in);
    return read.frame().equals(expected) ? read.value() : new WrongVersion(call, op, read.frame());
  }

  @Override
  public void write(Hypercall value, JsonWriter out) {
    throw new IllegalStateException("arguments are read, not written");
  }

  @Override
  public Map<String, Object> schema() {
    return framed.schema();
  }
}
