"""Sites (websites with the widget) and the settings of their assistant."""
