pub struct Overlay;
