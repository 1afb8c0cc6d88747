"""From merged components to one rectangular frame of rows and sensors."""
