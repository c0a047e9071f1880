"""The code inside the fnnx models of the tests: y is twice x."""

from typing import Any

from fnnx.variants.pyfunc import PyFunc


class Doubler(PyFunc):  # type: ignore[misc]
    def warmup(self) -> None:
        self.factor = self.fnnx_context.get_value("factor")

    def compute(self, inputs: dict[str, Any], dynamic_attributes: dict[str, Any]) -> dict[str, Any]:
        return {"y": inputs["x"] * self.factor}

    async def compute_async(self, inputs: dict[str, Any], dynamic_attributes: dict[str, Any]) -> dict[str, Any]:
        return self.compute(inputs, dynamic_attributes)
