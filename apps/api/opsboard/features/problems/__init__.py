"""Problems of the shop floor: reported on a step or a machine, answered, closed."""
